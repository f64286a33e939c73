package dev.amanuensis.standalone;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.worker.FleetSettings;
import dev.amanuensis.worker.Worker;
import dev.amanuensis.worker.admin.AdminConfig;
import dev.amanuensis.worker.admin.AdminServer;
import dev.amanuensis.worker.admin.FleetRoutes;
import dev.amanuensis.worker.admin.Routes;
import dev.amanuensis.worker.admin.WorkerState;
import dev.amanuensis.worker.config.WorkerConfig;
import dev.amanuensis.worker.intake.FleetReader;
import dev.amanuensis.worker.metrics.JvmMeters;
import dev.amanuensis.worker.metrics.Meters;
import dev.amanuensis.worker.metrics.PrometheusText;
import dev.amanuensis.worker.metrics.WorkerMetrics;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The admin server of this process, from before there is a worker until after it. Thread-safe. */
final class Admin implements AutoCloseable {
  private static final Duration KAFKA = Duration.ofSeconds(5);

  private final WorkerMetrics metrics;
  private final WorkerState state = new WorkerState();
  private final FleetRoutes fleet = new FleetRoutes();
  private AdminServer server;
  private JvmMeters jvm;

  private Admin(WorkerMetrics metrics) {
    this.metrics = metrics;
  }

  /**
   * Serves unless the settings say that nothing is to be served: then nothing is counted either.
   */
  static Admin start(WorkerConfig config, List<Routes> more) throws CliException {
    return start(config, AdminServer.Capacity.ADMIN, more);
  }

  /**
   * The same, for more than people who look.
   *
   * @param more what else is served on the port
   */
  static Admin start(WorkerConfig config, AdminServer.Capacity capacity, List<Routes> more)
      throws CliException {
    Optional<AdminConfig> wanted = AdminConfig.of(config);
    if (wanted.isEmpty()) {
      return new Admin(WorkerMetrics.none());
    }
    PrometheusText text = new PrometheusText();
    Admin admin = new Admin(new WorkerMetrics(text.registry()));
    admin.jvm = new JvmMeters(admin.metrics);
    admin.metrics.observe(Meters.READY, () -> admin.state.ready() ? 1 : 0);
    List<Routes> routes = new ArrayList<>(more);
    routes.add(admin.fleet);
    try {
      admin.server = AdminServer.start(wanted.get(), capacity, admin.state, text, routes);
    } catch (IOException e) {
      admin.jvm.close();
      throw new CliException(ExitCodes.USAGE, e.getMessage(), e);
    }
    return admin;
  }

  WorkerMetrics metrics() {
    return metrics;
  }

  /** What is done before there is a worker. */
  void phase(String text) {
    state.phase(text);
  }

  /** The worker is built, and not started yet. */
  void attach(Worker worker, WorkerConfig config) {
    worker.advertise(url().orElse(null));
    fleet.connect(() -> new FleetReader(FleetSettings.of(config, KAFKA)));
    state.attach(worker.view());
  }

  void stopping() {
    state.stopping();
  }

  /** Of the ops page; empty if nothing is served. */
  Optional<String> url() {
    return Optional.ofNullable(server).map(s -> s.url() + "/");
  }

  @Override
  public void close() {
    if (server != null) {
      fleet.close();
      server.close();
      jvm.close();
    }
  }
}
