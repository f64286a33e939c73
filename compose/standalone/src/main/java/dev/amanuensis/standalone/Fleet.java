package dev.amanuensis.standalone;

import dev.amanuensis.broker.EmbeddedBroker;
import dev.amanuensis.broker.RegistryServer;
import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.FileFailures;
import dev.amanuensis.cli.command.LocalFleet;
import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.gateway.DirectoryClaims;
import dev.amanuensis.gateway.GatewayCommand;
import dev.amanuensis.gateway.GatewayRoutes;
import dev.amanuensis.schema.topic.Topics;
import dev.amanuensis.worker.admin.AdminConfig;
import dev.amanuensis.worker.admin.AdminServer;
import dev.amanuensis.worker.config.Setting;
import dev.amanuensis.worker.config.WorkerConfig;
import dev.amanuensis.worker.transcription.Languages;
import java.io.File;
import java.io.IOException;
import java.net.BindException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A broker, a registry and a worker in this JVM, and OpenAI's audio API on the admin port if there
 * is one. The model is loaded while the broker starts. One thread uses it.
 */
final class Fleet implements LocalFleet {
  private static final int PARTITIONS = 4;

  private final DataDirectory data;
  private final EmbeddedBroker broker;
  private final RegistryServer registry;
  private final WorkerThread worker;
  private final Admin admin;
  private final GatewayRoutes gateway;

  /**
   * What to start.
   *
   * @param data directory of the broker and the registry
   * @param kafkaPort 0 for a free one
   * @param registryPort 0 for a free one
   * @param workerSettings beside those that say where Kafka and the registry are
   */
  record Plan(Path data, int kafkaPort, int registryPort, Map<String, String> workerSettings) {
    /** The worker may read this directory too. */
    private Plan allowing(Path directory, String roots) {
      Map<String, String> settings = new HashMap<>(workerSettings);
      settings.put(
          Setting.ALLOWED_ROOTS.key(),
          roots.isEmpty() ? directory.toString() : roots + File.pathSeparator + directory);
      return new Plan(data, kafkaPort, registryPort, settings);
    }
  }

  private Fleet(
      DataDirectory data,
      EmbeddedBroker broker,
      RegistryServer registry,
      WorkerThread worker,
      Admin admin,
      GatewayRoutes gateway) {
    this.data = data;
    this.broker = broker;
    this.registry = registry;
    this.worker = worker;
    this.admin = admin;
    this.gateway = gateway;
  }

  /** Where audio that is too large for a record waits for the worker. */
  private static Path claims(Path data) throws CliException {
    try {
      return Files.createDirectories(data.resolve("claims")).toRealPath();
    } catch (IOException e) {
      throw new CliException(
          ExitCodes.INTERNAL,
          "can't make a directory for audio in " + data + ": " + FileFailures.reason(e),
          e);
    }
  }

  private static GatewayRoutes gateway(Path claims) throws CliException {
    try {
      return new GatewayRoutes(
          GatewayCommand.configured(), new DirectoryClaims(claims), Languages::name);
    } catch (IOException e) {
      throw new CliException(ExitCodes.INTERNAL, "can't use " + claims + ": " + e, e);
    }
  }

  private void closeGateway() {
    if (gateway != null) {
      gateway.close();
    }
  }

  /** Returns once broker and registry serve; the worker follows. */
  static Fleet start(Plan plan) throws CliException, InterruptedException {
    WorkerConfig config = Workers.config(plan.workerSettings());
    DataDirectory data = DataDirectory.lock(plan.data());
    try {
      return start(plan, config, data);
    } catch (CliException | InterruptedException | RuntimeException | Error e) {
      data.close();
      throw e;
    }
  }

  private static Fleet start(Plan plan, WorkerConfig config, DataDirectory data)
      throws CliException, InterruptedException {
    GatewayRoutes gateway = null;
    if (AdminConfig.of(config).isPresent()) {
      Path claims = claims(data.path());
      gateway = gateway(claims);
      plan = plan.allowing(claims, config.text(Setting.ALLOWED_ROOTS));
    }
    Admin admin =
        gateway == null
            ? Admin.start(config, List.of())
            : Admin.start(config, AdminServer.Capacity.PUBLIC, List.of(gateway::addTo));
    Fleet fleet =
        new Fleet(
            data,
            new EmbeddedBroker(data.path().resolve("kafka"), plan.kafkaPort()),
            new RegistryServer(data.path().resolve("registry"), plan.registryPort()),
            new WorkerThread(plan.workerSettings(), admin),
            admin,
            gateway);
    try {
      fleet.startServers(plan);
      return fleet;
    } catch (IOException e) {
      fleet.abandon();
      throw failed(e);
    } catch (InterruptedException | RuntimeException | Error e) {
      fleet.abandon();
      throw e;
    }
  }

  private static CliException failed(IOException e) {
    boolean taken = e.getCause() instanceof BindException;
    return new CliException(
        taken ? ExitCodes.USAGE : ExitCodes.INTERNAL,
        "can't start: "
            + e.getMessage()
            + (taken
                ? "; is another one running? --kafka-port and --registry-port take other ports, and"
                    + " 0 for a free one"
                : ""),
        e);
  }

  private void startServers(Plan plan) throws IOException, InterruptedException {
    registry.start();
    broker.start();
    broker.createTopics(Topics.all(), PARTITIONS);
    Map<String, String> settings = new HashMap<>(plan.workerSettings());
    settings.put(Setting.BOOTSTRAP_SERVERS.key(), broker.bootstrapServers());
    settings.put(Setting.SCHEMA_REGISTRY_URL.key(), registry.url());
    settings.putIfAbsent(Setting.WORKER_ID.key(), "standalone");
    worker.connect(settings);
    if (gateway != null) {
      gateway.open(target());
    }
  }

  @Override
  public KafkaTarget target() {
    return KafkaTarget.of(broker.bootstrapServers(), registry.url());
  }

  @Override
  public void check() throws CliException {
    if (broker.failure() != null) {
      throw new CliException(
          ExitCodes.INTERNAL, "Kafka stopped: " + broker.failure(), broker.failure());
    }
    worker.check();
  }

  @Override
  public String starting() {
    return worker.ready() ? null : "loading the model";
  }

  /** Of the ops page; empty if it is switched off. */
  Optional<String> adminUrl() {
    return admin.url();
  }

  /** Stops the worker alone; Kafka and the registry go on. */
  void stopWorker() {
    worker.close(null);
  }

  /** Finishes the jobs in flight within the worker's grace period. */
  @Override
  public void close() {
    admin.stopping();
    worker.close(null);
    closeGateway(); // after the jobs in flight have answered
    broker.close();
    registry.close();
    admin.close();
    data.close();
  }

  /** The process ends now, and with it the servers; they may no longer end it, nor say anything. */
  void leave() {
    LogSetup.use(LogSetup.Detail.NOTHING);
    broker.leave();
  }

  /** Ends at once; what is in flight is lost with the data. */
  void abandon() {
    closeGateway();
    admin.close();
    worker.close(Duration.ZERO);
    broker.close();
    registry.close();
    data.close();
  }
}
