package dev.amanuensis.standalone;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * Ctrl-C and SIGTERM as something to wait for, so that the command in the main thread can stop
 * things in order. SIGTERM does not even begin the JVM's end: the command returns and its exit code
 * says how the stop went. After Ctrl-C the JVM's end is held back until this is closed.
 */
final class ShutdownSignal implements AutoCloseable {
  private static final Signal TERM = new Signal("TERM");

  private final CountDownLatch asked = new CountDownLatch(1);
  private final CountDownLatch done = new CountDownLatch(1);
  private final Thread hook = new Thread(this::hold, "shutdown");

  private final SignalHandler previous;

  ShutdownSignal() {
    Runtime.getRuntime().addShutdownHook(hook);
    previous = Signal.handle(TERM, signal -> asked.countDown());
  }

  /** Waits at most the given time; true once the process was asked to end. */
  boolean await(long millis) throws InterruptedException {
    return asked.await(millis, TimeUnit.MILLISECONDS);
  }

  @Override
  public void close() {
    done.countDown();
    Signal.handle(TERM, previous);
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM is going down already, by that very hook.
    }
  }

  private void hold() {
    asked.countDown();
    try {
      done.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
