package dev.amanuensis.chaos;

import dev.amanuensis.broker.BrokerNode;
import dev.amanuensis.broker.RegistryServer;
import dev.amanuensis.schema.topic.TopicSpec;
import dev.amanuensis.schema.topic.Topics;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicExistsException;

/** Kafka in several processes, and a registry that can be cut off. One thread uses it. */
final class ChaosCluster implements AutoCloseable {
  private static final int PARTITIONS = 6;
  private static final long START_NANOS = TimeUnit.SECONDS.toNanos(120);

  /** A lost worker is missed after so many ms. */
  static final int SESSION_MILLIS = 3_000;

  static final String GROUP = "amanuensis";

  private final Path data;
  private final BrokerNode.Cluster cluster;
  private final List<Process> nodes = new ArrayList<>();
  private RegistryServer registry;
  private String registryUrl;

  ChaosCluster(Path data, int brokers) throws IOException {
    this.data = data;
    List<Integer> ports = freePorts(2 * brokers);
    this.cluster =
        new BrokerNode.Cluster(
            Uuid.randomUuid().toString(),
            ports.subList(0, brokers),
            ports.subList(brokers, 2 * brokers));
  }

  /** Ports that were free a moment ago. */
  private static List<Integer> freePorts(int count) throws IOException {
    List<ServerSocket> sockets = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        sockets.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
      }
      return sockets.stream().map(ServerSocket::getLocalPort).toList();
    } finally {
      for (ServerSocket socket : sockets) {
        socket.close();
      }
    }
  }

  /** Returns once all nodes serve and the topics exist. */
  void start() throws IOException, InterruptedException {
    startRegistry(0);
    registryUrl = registry.url();
    for (int n = 1; n <= cluster.nodes(); n++) {
      nodes.add(launch(n));
    }
    awaitNodes();
    createTopics();
  }

  private Process launch(int node) throws IOException {
    Path directory = Files.createDirectories(data.resolve("kafka-" + node));
    return Child.start(
        BrokerNode.class.getName(),
        cluster.arguments(node, directory),
        data.resolve("kafka-" + node + ".log"),
        "-Xmx400m");
  }

  private void awaitNodes() throws IOException, InterruptedException {
    long until = System.nanoTime() + START_NANOS;
    try (Admin admin = admin()) {
      while (true) {
        try {
          if (admin.describeCluster().nodes().get(5, TimeUnit.SECONDS).size() == cluster.nodes()) {
            return;
          }
        } catch (ExecutionException | java.util.concurrent.TimeoutException e) {
          // not yet
        }
        if (System.nanoTime() - until > 0) {
          throw new IOException("the brokers did not start: see " + data.resolve("kafka-1.log"));
        }
        Thread.sleep(200);
      }
    }
  }

  private void createTopics() throws IOException, InterruptedException {
    short copies = (short) Math.min(3, cluster.nodes());
    List<NewTopic> topics = new ArrayList<>();
    for (TopicSpec t : Topics.all()) {
      topics.add(new NewTopic(t.name(), t.partitions(PARTITIONS), copies).configs(t.config()));
    }
    ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, GROUP);
    try (Admin admin = admin()) {
      admin.createTopics(topics).all().get();
      admin
          .incrementalAlterConfigs(
              Map.of(
                  group,
                  List.of(
                      set("consumer.session.timeout.ms", SESSION_MILLIS),
                      set("consumer.heartbeat.interval.ms", 500))))
          .all()
          .get();
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof TopicExistsException)) {
        throw new IOException("the topics can't be created: " + e.getCause().getMessage(), e);
      }
    }
  }

  private static AlterConfigOp set(String key, int value) {
    return new AlterConfigOp(
        new ConfigEntry(key, Integer.toString(value)), AlterConfigOp.OpType.SET);
  }

  private Admin admin() {
    Map<String, Object> config = new HashMap<>();
    config.put("bootstrap.servers", bootstrapServers());
    return Admin.create(config);
  }

  /** SIGKILL, then a new process on the same data. */
  void restartBroker(int target) throws IOException, InterruptedException {
    int index = target % nodes.size();
    nodes.get(index).destroyForcibly().waitFor();
    Thread.sleep(1_000);
    nodes.set(index, launch(index + 1));
    try {
      awaitNodes(); // two killed of three would be another test
    } catch (KafkaException e) {
      throw new IOException("the brokers do not answer: " + e.getMessage(), e);
    }
  }

  private void startRegistry(int port) throws IOException {
    registry = new RegistryServer(data.resolve("registry"), port);
    registry.start();
  }

  void stopRegistry() {
    registry.close();
  }

  /** On the same port, with the same ids. */
  void resumeRegistry() throws IOException {
    startRegistry(URI.create(registryUrl).getPort());
  }

  String bootstrapServers() {
    return cluster.bootstrapServers();
  }

  String registryUrl() {
    return registryUrl;
  }

  @Override
  public void close() {
    nodes.forEach(Process::destroyForcibly);
    if (registry != null) {
      registry.close();
    }
  }
}
