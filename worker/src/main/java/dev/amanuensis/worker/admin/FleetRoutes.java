package dev.amanuensis.worker.admin;

import dev.amanuensis.worker.intake.FleetReader;
import dev.amanuensis.worker.intake.FleetSnapshot;
import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * /fleet: all workers, as Kafka knows them. Read by a thread of its own while somebody asks, so
 * that no request waits for Kafka. Thread-safe.
 */
public final class FleetRoutes implements Routes, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FleetRoutes.class);
  private static final long PERIOD_MILLIS = 3_000;
  private static final long WANTED_NANOS = 30_000_000_000L;

  private Supplier<FleetReader> source;
  private Thread thread;
  private long askedAt;
  private boolean closed;
  private volatile FleetSnapshot last;
  private volatile String problem = "not read yet";

  /** Where to read, once that is known. */
  public synchronized void connect(Supplier<FleetReader> reader) {
    source = reader;
  }

  @Override
  public void addTo(JavalinConfig config) {
    config.routes.get("/fleet", this::serve);
  }

  private void serve(Context ctx) {
    wanted();
    FleetSnapshot fleet = last;
    if (fleet == null) {
      Json.send(ctx, 503, new Documents.Problem(problem));
    } else {
      Json.send(ctx, 200, fleet);
    }
  }

  private synchronized void wanted() {
    askedAt = System.nanoTime();
    if (thread == null && source != null && !closed) {
      Supplier<FleetReader> from = source;
      thread = new Thread(() -> run(from), "fleet");
      thread.setDaemon(true);
      thread.start();
    }
  }

  private void run(Supplier<FleetReader> from) {
    try (FleetReader reader = from.get()) {
      while (isWanted()) {
        try {
          last = reader.read();
        } catch (RuntimeException e) {
          LOG.debug("can't read the fleet", e);
          last = null;
          problem = "Kafka does not tell: " + e.getMessage();
        }
        Thread.sleep(PERIOD_MILLIS);
      }
    } catch (InterruptedException e) {
      // The server ends.
    } catch (RuntimeException e) {
      problem = "can't read the fleet: " + e.getMessage();
    } finally {
      last = null; // what is shown is never old
      synchronized (this) {
        thread = null;
      }
    }
  }

  private synchronized boolean isWanted() {
    return !closed && System.nanoTime() - askedAt < WANTED_NANOS;
  }

  @Override
  public void close() {
    Thread running;
    synchronized (this) {
      closed = true;
      running = thread;
    }
    if (running != null) {
      running.interrupt();
    }
  }
}
