package dev.amanuensis.worker.device;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * The one thread that touches a device. Lanes hand it a window each and wait, so that the next one
 * lies ready when it is done with the last. Windows run in the order in which they came: lanes are
 * few, and the queue before them has the priorities.
 */
public final class DeviceOwner implements AutoCloseable {
  private record Request(Runnable work, CompletableFuture<Void> done) {}

  private final LinkedBlockingQueue<Request> queue = new LinkedBlockingQueue<>();
  private final DeviceMeter meter;
  private final Thread thread;
  private volatile boolean closed;

  public DeviceOwner(String name, DeviceMeter meter) {
    this.meter = meter;
    this.thread = new Thread(this::loop, name);
    thread.setDaemon(true);
    thread.start();
  }

  /**
   * Returns when the work is done; what it threw is thrown here. An interrupt does not end the
   * wait: the device still reads and writes the caller's buffers.
   */
  public void run(Runnable work) {
    if (closed) {
      throw new IllegalStateException(thread.getName() + " is closed");
    }
    Request request = new Request(work, new CompletableFuture<>());
    queue.add(request);
    try {
      request.done().join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  private void loop() {
    while (!closed) {
      Request request;
      try {
        request = queue.take();
      } catch (InterruptedException e) {
        continue; // closed, or nobody knows why
      }
      long started = System.nanoTime();
      try {
        request.work().run();
        meter.add(System.nanoTime() - started, false);
        request.done().complete(null);
      } catch (Throwable e) {
        meter.add(System.nanoTime() - started, true);
        request.done().completeExceptionally(e);
      }
    }
    for (Request left = queue.poll(); left != null; left = queue.poll()) {
      left.done().completeExceptionally(new IllegalStateException("the device is closed"));
    }
  }

  /** Once no lane uses it any more. */
  @Override
  public void close() {
    closed = true;
    thread.interrupt();
  }
}
