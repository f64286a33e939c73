package dev.amanuensis.worker.intake;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;

/** Several share consumers of one worker, so that a long job holds up one of them only. */
public final class ShareLoops implements DeliveryLoop {
  private final List<DeliveryLoop> loops;

  public ShareLoops(List<? extends DeliveryLoop> loops) {
    this.loops = List.copyOf(loops);
  }

  @Override
  public void start() {
    loops.forEach(DeliveryLoop::start);
  }

  @Override
  public boolean ready() {
    return loops.stream().allMatch(DeliveryLoop::ready);
  }

  @Override
  public Throwable failure() {
    return first(DeliveryLoop::failure);
  }

  @Override
  public String refusal() {
    return first(DeliveryLoop::refusal);
  }

  /** What the first loop that has any says, or null. */
  private <T> T first(Function<DeliveryLoop, T> what) {
    return loops.stream().map(what).filter(Objects::nonNull).findFirst().orElse(null);
  }

  /** All at once: they share the grace period. */
  @Override
  public void close(Duration grace) {
    List<Thread> closing = loops.stream().map(l -> new Thread(() -> l.close(grace))).toList();
    closing.forEach(Thread::start);
    boolean interrupted = false;
    for (Thread thread : closing) {
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true;
          closing.forEach(Thread::interrupt); // each ends its grace period
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
