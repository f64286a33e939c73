package dev.amanuensis.worker.buffers;

import java.time.Duration;
import java.util.Comparator;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A pool's leases that are out, and which of them are leaks. Thread-safe. */
final class LeasesOut {
  private static final Logger LOG = LoggerFactory.getLogger(LeasesOut.class);

  private final AtomicReferenceArray<Slot> slots;
  private final Set<Lease> unpooled = ConcurrentHashMap.newKeySet();

  /**
   * @param slots of the pool, null where it has none
   */
  LeasesOut(AtomicReferenceArray<Slot> slots) {
    this.slots = slots;
  }

  /** One that has no slot of the pool. */
  void addUnpooled(Lease lease) {
    unpooled.add(lease);
  }

  void removeUnpooled(Lease lease) {
    unpooled.remove(lease);
  }

  int unpooled() {
    return unpooled.size();
  }

  Optional<Lease> oldest() {
    return all().max(Comparator.comparingLong(Lease::ageNanos));
  }

  int leaks(Duration leakAge) {
    return (int) all().filter(lease -> isLeak(lease, leakAge)).count();
  }

  /** Says once of each lease that is older that it is a leak. */
  void reportLeaks(Duration leakAge) {
    all()
        .filter(lease -> isLeak(lease, leakAge) && lease.report())
        .forEach(lease -> LOG.warn("a leak: {} has been out for {}", lease, lease.age()));
  }

  private static boolean isLeak(Lease lease, Duration leakAge) {
    return lease.ageNanos() > leakAge.toNanos();
  }

  private Stream<Lease> all() {
    Stream<Lease> pooled =
        IntStream.range(0, slots.length())
            .mapToObj(slots::get)
            .filter(Objects::nonNull)
            .map(slot -> slot.lease);
    return Stream.concat(pooled, unpooled.stream())
        .filter(lease -> lease != null && lease.isOpen());
  }
}
