package dev.amanuensis.standalone;

import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.Capability;
import dev.amanuensis.model.ModelStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.BindMode;
import org.testcontainers.containers.Container.ExecResult;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.containers.startupcheck.OneShotStartupCheckStrategy;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.containers.wait.strategy.WaitStrategy;
import org.testcontainers.lifecycle.Startables;
import org.testcontainers.utility.DockerImageName;

/**
 * Kafka, a Schema Registry, an object store, two workers and a gateway in containers, set up as
 * compose.yaml does. Images are compose.yaml's unless AMANUENSIS_TEST_IMAGE_KAFKA, _REGISTRY, _S3
 * or _AMANUENSIS name others.
 */
final class ContainerFleet implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final int PORT = 9050;

  private final Network network = Network.newNetwork();
  private final Map<String, GenericContainer<?>> workers = new LinkedHashMap<>();
  private final String key = UUID.randomUUID().toString().replace("-", "");
  private final String secret = UUID.randomUUID().toString();
  private final GenericContainer<?> kafka = kafka();
  private final GenericContainer<?> registry = registry();
  private final GenericContainer<?> objects = objects();
  private GenericContainer<?> gateway;

  /** How a command ended. */
  record Ran(int code, String out, String err) {}

  private static String image(String name) {
    String given = System.getenv("AMANUENSIS_TEST_IMAGE_" + name);
    if (given != null) {
      return given;
    }
    try {
      Matcher pinned =
          Pattern.compile("image: \\$\\{" + name + "_IMAGE:-(.*)}")
              .matcher(Files.readString(Path.of("../compose.yaml")));
      if (!pinned.find()) {
        throw new IllegalStateException("compose.yaml names no " + name + "_IMAGE");
      }
      return pinned.group(1);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static boolean oursIsBuilt() {
    try {
      DockerClientFactory.instance().client().inspectImageCmd(image("AMANUENSIS")).exec();
      return true;
    } catch (NotFoundException e) {
      return false;
    }
  }

  /** Returns once two workers and a gateway are ready. */
  static ContainerFleet start(Path audio) {
    ContainerFleet fleet = new ContainerFleet();
    try {
      fleet.startAll(audio);
      return fleet;
    } catch (RuntimeException e) {
      fleet.close();
      throw e;
    }
  }

  private void startAll(Path audio) {
    Startables.deepStart(kafka, registry, objects).join();
    try (GenericContainer<?> topics =
        ours("topics", "create", "--connect-timeout=120")
            .withStartupCheckStrategy(new OneShotStartupCheckStrategy().withTimeout(PATIENCE))) {
      topics.start();
    }
    for (String name : List.of("worker-1", "worker-2")) {
      workers.put(name, worker());
    }
    gateway =
        ours(
                "gateway",
                "--host=0.0.0.0",
                "--claim-s3=s3://claims/gateway",
                "--s3-endpoint=http://objects:7070",
                "--s3-path-style")
            .withFileSystemBind(audio.toString(), "/audio", BindMode.READ_ONLY)
            .withExposedPorts(PORT)
            .waitingFor(Wait.forHttp("/health").forPort(PORT).withStartupTimeout(PATIENCE));
    Startables.deepStart(workers.values()).join();
    gateway.start();
  }

  private GenericContainer<?> container(String name) {
    return new GenericContainer<>(DockerImageName.parse(image(name))).withNetwork(network);
  }

  private static WaitStrategy listening(int port) {
    return Wait.forSuccessfulCommand("bash -c 'exec 3<>/dev/tcp/localhost/%d'".formatted(port))
        .withStartupTimeout(PATIENCE);
  }

  private GenericContainer<?> kafka() {
    return container("KAFKA")
        .withNetworkAliases("kafka")
        .withEnv("CLUSTER_ID", "YW1hbnVlbnNpcy1kZXZlbA")
        .withEnv("KAFKA_NODE_ID", "1")
        .withEnv("KAFKA_PROCESS_ROLES", "broker,controller")
        .withEnv("KAFKA_CONTROLLER_LISTENER_NAMES", "CONTROLLER")
        .withEnv("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@localhost:9093")
        .withEnv("KAFKA_INTER_BROKER_LISTENER_NAME", "FLEET")
        .withEnv("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "CONTROLLER:PLAINTEXT,FLEET:PLAINTEXT")
        .withEnv("KAFKA_LISTENERS", "FLEET://:9092,CONTROLLER://:9093")
        .withEnv("KAFKA_ADVERTISED_LISTENERS", "FLEET://kafka:9092")
        .withEnv("KAFKA_LOG_DIRS", "/var/lib/kafka/data")
        .withEnv("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false")
        .withEnv("KAFKA_MESSAGE_MAX_BYTES", "8388608")
        .withEnv("KAFKA_GROUP_CONSUMER_MIN_SESSION_TIMEOUT_MS", "6000")
        .withEnv("KAFKA_GROUP_CONSUMER_SESSION_TIMEOUT_MS", "10000")
        .withEnv("KAFKA_TRANSACTION_ABORT_TIMED_OUT_TRANSACTION_CLEANUP_INTERVAL_MS", "1000")
        .withEnv("KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0")
        .withEnv("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR", "1")
        .withEnv("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "1")
        .withEnv("KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", "1")
        .withEnv("KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR", "1")
        .withEnv("KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR", "1")
        .waitingFor(listening(9092));
  }

  private GenericContainer<?> registry() {
    return container("REGISTRY")
        .withNetworkAliases("registry")
        .withEnv("KAFKA_BOOTSTRAP_SERVERS", "kafka:9092")
        .withEnv("REGISTRY_RULES_GLOBAL_COMPATIBILITY", "BACKWARD")
        .dependsOn(kafka)
        .waitingFor(listening(8080));
  }

  private GenericContainer<?> objects() {
    return container("S3")
        .withNetworkAliases("objects")
        .withEnv("ROOT_ACCESS_KEY", key)
        .withEnv("ROOT_SECRET_KEY", secret)
        .withCreateContainerCmdModifier(c -> c.withEntrypoint("sh", "-c"))
        .withCommand(
            new String[] {"mkdir -p /data/claims && exec versitygw --port :7070 posix /data"})
        .waitingFor(
            Wait.forSuccessfulCommand("grep -q ':1B9E ' /proc/net/tcp /proc/net/tcp6")
                .withStartupTimeout(PATIENCE));
  }

  private GenericContainer<?> ours(String... command) {
    return container("AMANUENSIS")
        .withEnv("AMANUENSIS_BOOTSTRAP_SERVER", "kafka:9092")
        .withEnv("AMANUENSIS_SCHEMA_REGISTRY", "http://registry:8080/apis/ccompat/v7")
        .withEnv("AWS_ACCESS_KEY_ID", key)
        .withEnv("AWS_SECRET_ACCESS_KEY", secret)
        .withEnv("AWS_REGION", "us-east-1")
        .withTmpFs(Map.of("/tmp", "size=64m,mode=1777"))
        .withCreateContainerCmdModifier(
            c -> c.getHostConfig().withReadonlyRootfs(true).withCapDrop(Capability.ALL))
        .withCommand(command);
  }

  private GenericContainer<?> worker() {
    Path model = ModelStore.defaultStore().directory();
    return ours(
            "worker",
            "--set=admin.host=0.0.0.0",
            "--set=source.s3.endpoint=http://objects:7070",
            "--set=source.s3.path.style=true",
            "--set=source.s3.buckets=claims")
        .withFileSystemBind(model.toString(), "/models/whisper-base", BindMode.READ_ONLY)
        .withExposedPorts(PORT)
        .waitingFor(Wait.forHttp("/health/ready").forPort(PORT).withStartupTimeout(PATIENCE));
  }

  private static String url(GenericContainer<?> container) {
    return "http://%s:%d".formatted(container.getHost(), container.getMappedPort(PORT));
  }

  String gatewayUrl() {
    return url(gateway);
  }

  /** The name of a worker with a job in work. */
  String awaitBusyWorker() throws IOException, InterruptedException {
    Pattern inFlight = Pattern.compile("(?m)^amanuensis_jobs_in_flight(?:\\{.*})? ([0-9.]+)$");
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (System.nanoTime() < deadline) {
      for (Map.Entry<String, GenericContainer<?>> worker : workers.entrySet()) {
        Matcher m = inFlight.matcher(get(url(worker.getValue()) + "/metrics"));
        if (m.find() && Double.parseDouble(m.group(1)) > 0) {
          return worker.getKey();
        }
      }
    }
    throw new IllegalStateException("no worker took a job");
  }

  private static String get(String url) throws IOException, InterruptedException {
    return HttpClient.newHttpClient()
        .send(HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString())
        .body();
  }

  /** SIGKILL. */
  void kill(String worker) {
    DockerClientFactory.instance()
        .client()
        .killContainerCmd(workers.get(worker).getContainerId())
        .exec();
  }

  void restart(String worker) {
    workers.get(worker).stop();
    workers.put(worker, worker());
    workers.get(worker).start();
  }

  /** Runs one of our commands beside the gateway. */
  Ran command(String... arguments) {
    String[] all = new String[arguments.length + 1];
    all[0] = "amanuensis";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    return run(gateway, all);
  }

  Ran shell(String script) {
    return run(gateway, "bash", "-c", script);
  }

  /** Files in the bucket. */
  String storedClaims() {
    return run(objects, "find", "/data/claims/gateway", "-type", "f").out();
  }

  private static Ran run(GenericContainer<?> container, String... command) {
    try {
      ExecResult result = container.execInContainer(command);
      return new Ran(result.getExitCode(), result.getStdout(), result.getStderr());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    workers.values().forEach(GenericContainer::stop);
    if (gateway != null) {
      gateway.stop();
    }
    objects.stop();
    registry.stop();
    kafka.stop();
    network.close();
  }
}
