package dev.amanuensis.worker.intake;

import dev.amanuensis.worker.metrics.WorkerMetrics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Records that were delivered and are not at work: those of each lane that can start, those whose
 * next try is not due, and suspects. Belongs to the loop thread.
 */
final class Backlog {
  private static final Logger LOG = LoggerFactory.getLogger(Backlog.class);

  /** Between two looks at whether something here needs no work any more. */
  private static final long LOOK_NANOS = Duration.ofMillis(100).toNanos();

  private final Assignment assignment;
  private final Lanes lanes;
  private final WorkerMetrics metrics;

  /** Apart from their lanes: a lane fetches on however many wait for a source that is away. */
  private final List<Delivery> retrying = new ArrayList<>();

  private long nextLook = System.nanoTime();

  final List<Delivery> suspects = new ArrayList<>();

  Backlog(Assignment assignment, Lanes lanes, WorkerMetrics metrics) {
    this.assignment = assignment;
    this.lanes = lanes;
    this.metrics = metrics;
  }

  void add(Delivery d) {
    if (!addSuspect(d)) {
      d.lane.waiting.add(d);
    }
  }

  /** It failed, and its next try has a time. */
  void retry(Delivery d) {
    if (!addSuspect(d)) {
      retrying.add(d);
    }
  }

  private boolean addSuspect(Delivery d) {
    Mark mark = assignment.mark(d.ticket);
    if (mark == null || !mark.suspect()) {
      return false;
    }
    suspects.add(d);
    metrics.suspect();
    LOG.warn(
        "{}@{} was at work in a worker that was lost, {} times alone: it runs alone",
        d.ticket.partition(),
        d.ticket.offset(),
        mark.attempts());
    return true;
  }

  /** Those whose next try is due go back into their lanes. */
  void releaseDue() {
    long now = System.nanoTime();
    for (Iterator<Delivery> i = retrying.iterator(); i.hasNext(); ) {
      Delivery d = i.next();
      if (d.due - now <= 0) {
        i.remove();
        d.lane.waiting.add(d);
      }
    }
  }

  /** Answers what needs no work, now and then: nobody cancelled has to wait for a free slot. */
  void settle(Preparation preparation) {
    long now = System.nanoTime();
    if (now - nextLook < 0) {
      return;
    }
    nextLook = now + LOOK_NANOS;
    lanes.all().forEach(l -> l.waiting.removeIf(d -> isSettled(d, preparation)));
    retrying.removeIf(d -> isSettled(d, preparation));
    // One that is tried elsewhere gets its answer after that.
    suspects.removeIf(d -> d.trial == null && isSettled(d, preparation));
  }

  private static boolean isSettled(Delivery d, Preparation preparation) {
    return preparation.ready() && preparation.settle(d) == Preparation.Next.ANSWERED;
  }

  /** Forgets those whose partition went. */
  void dropLost(Consumer<Delivery> closed) {
    lanes.all().forEach(l -> l.waiting.removeIf(d -> isLost(d, closed)));
    retrying.removeIf(d -> isLost(d, closed));
    suspects.removeIf(d -> isLost(d, closed));
  }

  private boolean isLost(Delivery d, Consumer<Delivery> closed) {
    if (assignment.isCurrent(d.ticket)) {
      return false;
    }
    closed.accept(d);
    return true;
  }

  boolean empty() {
    return suspects.isEmpty()
        && retrying.isEmpty()
        && lanes.all().stream().allMatch(l -> l.waiting.isEmpty());
  }
}
