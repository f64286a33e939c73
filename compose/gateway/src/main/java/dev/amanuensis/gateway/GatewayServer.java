package dev.amanuensis.gateway;

import dev.amanuensis.cli.Causes;
import io.javalin.Javalin;
import io.javalin.http.Context;
import io.javalin.util.JavalinBindException;
import java.io.IOException;
import java.util.Map;
import java.util.function.Predicate;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.GracefulHandler;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/** The gateway as a server of its own. */
public final class GatewayServer implements AutoCloseable {
  private static final int THREADS = 32;
  private static final int CONNECTIONS = 1024;
  private static final int IDLE_MILLIS = 60_000;
  private static final int STOP_MILLIS = 5_000;

  private final Javalin javalin;

  /**
   * Starts to serve.
   *
   * @param port 0 for a free one
   * @param isOurs whether a Host header (or null) means this server; asked where there are no keys
   * @throws IOException if the address can't be bound; the message names it
   */
  public GatewayServer(String host, int port, Predicate<String> isOurs, GatewayRoutes routes)
      throws IOException {
    javalin =
        Javalin.create(
            c -> {
              c.startup.showJavalinBanner = false;
              c.startup.showOldJavalinVersionWarning = false;
              c.startup.startupWatcherEnabled = false;
              c.http.prefer405over404 = true;
              QueuedThreadPool threads = new QueuedThreadPool(THREADS, 4, IDLE_MILLIS);
              threads.setName("gateway");
              c.jetty.threadPool = threads;
              c.jetty.addConnector((server, http) -> connector(server, http, host, port));
              c.jetty.modifyServer(
                  server -> {
                    server.addBean(new NetworkConnectionLimit(CONNECTIONS, server));
                    server.setHandler(new GracefulHandler()); // finishes what is being answered
                    server.setStopTimeout(STOP_MILLIS);
                  });
              if (routes.isForAll()) {
                c.routes.before(ctx -> guard(ctx, isOurs));
              }
              c.routes.get("/health", ctx -> health(ctx, routes));
              c.routes.get("/health/ready", ctx -> health(ctx, routes)); // as a worker's
              routes.addTo(c);
            });
    try {
      javalin.start();
    } catch (JavalinBindException e) { // whatever the reason, it says that the port is taken
      throw new IOException(
          "can't listen on %s:%d (%s); name another with --host and --port"
              .formatted(host, port, Causes.root(e).getMessage()),
          e);
    }
  }

  /** A page of the web whose name leads to this machine (DNS rebinding) still sends that name. */
  private static void guard(Context ctx, Predicate<String> isOurs) {
    if (!isOurs.test(ctx.header("Host"))) {
      GatewayRoutes.answer(
          ctx,
          ApiException.last(
              421,
              "unknown_host",
              "this gateway does not answer for that host name; --allowed-host adds one"));
    }
  }

  private static void health(Context ctx, GatewayRoutes routes) {
    Map<String, Object> health =
        Map.of("status", routes.isOpen() ? "up" : "starting", "waiting", routes.waiting());
    ctx.status(routes.isOpen() ? 200 : 503)
        .contentType("application/json")
        .result(Answers.json(health).body());
  }

  private static ServerConnector connector(
      Server server, HttpConfiguration http, String host, int port) {
    http.setSendServerVersion(false);
    ServerConnector connector = new ServerConnector(server, 1, 1, new HttpConnectionFactory(http));
    connector.setHost(host);
    connector.setPort(port);
    connector.setIdleTimeout(IDLE_MILLIS);
    return connector;
  }

  public int port() {
    return javalin.port();
  }

  @Override
  public void close() {
    javalin.stop();
  }
}
