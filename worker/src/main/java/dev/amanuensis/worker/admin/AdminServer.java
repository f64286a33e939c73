package dev.amanuensis.worker.admin;

import dev.amanuensis.worker.metrics.PrometheusText;
import io.javalin.Javalin;
import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import io.javalin.http.HttpStatus;
import io.javalin.util.JavalinBindException;
import io.javalin.util.JavalinException;
import java.io.IOException;
import java.util.List;
import java.util.function.Function;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP side of a worker. It can't hurt the worker: few threads of its own, a limit of
 * connections, and time limits on each.
 */
public final class AdminServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(AdminServer.class);
  private static final int HEADER_BYTES = 8 << 10;

  /** Of bodies that are read as a whole; multipart is read as a stream, by its own limits. */
  private static final long MAX_BODY_BYTES = 64 << 10;

  private final Javalin javalin;
  private final String host;

  /**
   * How much the server takes on at once.
   *
   * @param threads of its own, two of which accept and select
   * @param connections that may be open; more wait to be accepted
   * @param idleMillis after which a silent connection is closed
   */
  public record Capacity(int threads, int connections, int idleMillis) {
    /** For people who look, and scrapers. */
    public static final Capacity ADMIN = new Capacity(8, 64, 15_000);

    /** Where others' requests with large bodies are served beside. */
    public static final Capacity PUBLIC = new Capacity(64, 1024, 60_000);
  }

  private AdminServer(Javalin javalin, String host) {
    this.javalin = javalin;
    this.host = host;
  }

  /** Starts to serve people who look, and scrapers. */
  public static AdminServer start(
      AdminConfig config, WorkerState state, PrometheusText metrics, List<Routes> more)
      throws IOException {
    return start(config, Capacity.ADMIN, state, metrics, more);
  }

  /**
   * Starts to serve.
   *
   * @param more what else is served on the port
   * @throws IOException if the address can't be bound; the message names it
   */
  public static AdminServer start(
      AdminConfig config,
      Capacity capacity,
      WorkerState state,
      PrometheusText metrics,
      List<Routes> more)
      throws IOException {
    Function<Integer, AdminServer> on = port -> start(config, port, capacity, state, metrics, more);
    try {
      return on.apply(config.port());
    } catch (JavalinBindException e) {
      if (!config.fallBack()) {
        throw refused(config, e);
      }
      LOG.warn("port {} is taken; the admin server takes a free one", config.port());
    }
    try {
      return on.apply(0);
    } catch (JavalinBindException e) {
      throw refused(config, e);
    }
  }

  private static IOException refused(AdminConfig config, Exception cause) {
    return new IOException(
        "the admin server can't listen on %s:%d (%s); set admin.port to another, to 0 for a free one, or to off"
            .formatted(config.host(), config.port(), cause.getMessage()),
        cause);
  }

  private static AdminServer start(
      AdminConfig config,
      int port,
      Capacity capacity,
      WorkerState state,
      PrometheusText metrics,
      List<Routes> more) {
    HostGuard guard = new HostGuard(config.host(), config.allowedHosts());
    Javalin javalin =
        Javalin.create(
            c -> {
              configure(c, config.host(), port, capacity);
              c.routes.before(ctx -> guard(ctx, guard));
              c.routes.exception(Exception.class, AdminServer::failed);
              new WorkerRoutes(state, metrics).addTo(c);
              more.forEach(routes -> routes.addTo(c));
            });
    try {
      javalin.start();
    } catch (RuntimeException e) {
      javalin.stop();
      throw e;
    }
    return new AdminServer(javalin, config.host());
  }

  private static void configure(JavalinConfig c, String host, int port, Capacity capacity) {
    c.startup.showJavalinBanner = false;
    c.startup.showOldJavalinVersionWarning = false;
    c.startup.startupWatcherEnabled = false;
    c.http.prefer405over404 = true;
    c.http.maxRequestSize = MAX_BODY_BYTES;
    QueuedThreadPool threads = new QueuedThreadPool(capacity.threads(), 2, 30_000);
    threads.setName("admin");
    threads.setDaemon(true);
    c.jetty.threadPool = threads;
    c.jetty.addConnector((server, http) -> connector(server, http, host, port, capacity));
    c.jetty.modifyServer(
        server -> {
          server.addBean(new NetworkConnectionLimit(capacity.connections(), server));
          server.setStopTimeout(0); // nobody reads an answer of a worker that ends
        });
  }

  private static ServerConnector connector(
      Server server, HttpConfiguration http, String host, int port, Capacity capacity) {
    http.setSendServerVersion(false);
    http.setRequestHeaderSize(HEADER_BYTES);
    ServerConnector connector = new ServerConnector(server, 1, 1, new HttpConnectionFactory(http));
    connector.setHost(host);
    connector.setPort(port);
    connector.setIdleTimeout(capacity.idleMillis());
    connector.setAcceptQueueSize(capacity.connections());
    return connector;
  }

  private static void guard(Context ctx, HostGuard guard) {
    ctx.header("X-Content-Type-Options", "nosniff")
        .header("X-Frame-Options", "DENY")
        .header("Referrer-Policy", "no-referrer")
        .header("Cache-Control", "no-store");
    if (!guard.accepts(ctx.header("Host"))) {
      Json.send(
          ctx,
          HttpStatus.MISDIRECTED_REQUEST.getCode(),
          new Documents.Problem("this server does not answer for that host name"));
      ctx.skipRemainingHandlers();
    }
  }

  private static void failed(Exception e, Context ctx) {
    LOG.warn("{} {} failed", ctx.method(), ctx.path(), e);
    Json.send(ctx, 500, new Documents.Problem("the worker's log has the cause"));
  }

  /** For people and for curl. */
  public String url() {
    boolean any = host.equals("0.0.0.0") || host.equals("::");
    String name = any ? "localhost" : host.contains(":") ? "[" + host + "]" : host;
    return "http://%s:%d".formatted(name, port());
  }

  public int port() {
    return javalin.port();
  }

  @Override
  public void close() {
    try {
      javalin.stop();
    } catch (JavalinException e) {
      LOG.debug("stopping the admin server", e);
    }
  }
}
