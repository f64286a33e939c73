package dev.amanuensis.chaos;

import dev.amanuensis.broker.BrokerNode;
import dev.amanuensis.broker.RegistryServer;
import dev.amanuensis.schema.topic.TopicSpec;
import dev.amanuensis.schema.topic.Topics;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;

/** Kafka in several processes, and a registry that can be cut off. One thread uses it. */
final class ChaosCluster implements AutoCloseable {
  private static final int PARTITIONS = 6;
  private static final long START_NANOS = TimeUnit.SECONDS.toNanos(120);

  /** A lost worker is missed after so many ms. */
  static final int SESSION_MILLIS = 3_000;

  static final String GROUP = "amanuensis";

  /** Of the workers that transcribe speech. */
  static final String SPEECH_GROUP = "amanuensis-speech";

  static final String SPEECH_TOPIC = "audio-jobs.speech";

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
        BrokerNode.class.getName(), cluster.arguments(node, directory), log(node), "-Xmx400m");
  }

  private Path log(int node) {
    return data.resolve("kafka-" + node + ".log");
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
          throw new IOException("the brokers did not start: see " + log(1));
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
      if (t.name().equals(Topics.JOBS)) {
        topics.add(new NewTopic(SPEECH_TOPIC, PARTITIONS, copies).configs(t.config()));
      }
    }
    List<AlterConfigOp> sessions =
        List.of(
            set("consumer.session.timeout.ms", SESSION_MILLIS),
            set("consumer.heartbeat.interval.ms", 500));
    try (Admin admin = admin()) {
      admin.createTopics(topics).all().get();
      admin
          .incrementalAlterConfigs(
              Map.of(
                  new ConfigResource(ConfigResource.Type.GROUP, GROUP),
                  sessions,
                  new ConfigResource(ConfigResource.Type.GROUP, SPEECH_GROUP),
                  sessions))
          .all()
          .get();
    } catch (ExecutionException e) {
      throw new IOException("the topics can't be created: " + e.getCause().getMessage(), e);
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

  /**
   * SIGKILL, then a new process on the same data. Returns its name once all copies are in sync: two
   * killed of three would be another test.
   */
  String restartBroker(int target) throws IOException, InterruptedException {
    int index = target % nodes.size();
    nodes.get(index).destroyForcibly().waitFor();
    Thread.sleep(1_000);
    nodes.set(index, launch(index + 1));
    awaitCopies();
    return "kafka-" + (index + 1);
  }

  /** SIGSTOP for the given time, then SIGCONT. Returns its name once all copies are in sync. */
  String freezeBroker(int target, long millis) throws IOException, InterruptedException {
    int index = target % nodes.size();
    long pid = nodes.get(index).pid();
    Child.signal(pid, "STOP");
    try {
      Thread.sleep(millis);
    } finally {
      Child.signal(pid, "CONT");
    }
    awaitCopies();
    return "kafka-" + (index + 1);
  }

  private void awaitCopies() throws IOException, InterruptedException {
    long until = System.nanoTime() + START_NANOS;
    try (Admin admin = admin()) {
      while (!inSync(admin)) {
        if (System.nanoTime() - until > 0) {
          throw new IOException("a restarted broker does not catch up: see its log in " + data);
        }
        Thread.sleep(200);
      }
    }
  }

  private static boolean inSync(Admin admin) throws InterruptedException {
    try {
      Set<String> topics =
          admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get();
      return admin.describeTopics(topics).allTopicNames().get().values().stream()
          .flatMap(t -> t.partitions().stream())
          .allMatch(p -> p.isr().size() == p.replicas().size());
    } catch (ExecutionException e) {
      return false; // not yet
    }
  }

  /**
   * Partitions whose committed progress is not at their end, or still has marks of jobs at work:
   * what is done and known to be done is the same once a run is over.
   */
  List<String> unfinished(boolean speech) throws IOException, InterruptedException {
    List<String> left = new ArrayList<>();
    try (Admin admin = admin()) {
      left.addAll(unfinished(admin, GROUP, Topics.LANES));
      if (speech) {
        left.addAll(unfinished(admin, SPEECH_GROUP, List.of(SPEECH_TOPIC)));
      }
      return left;
    } catch (ExecutionException e) {
      throw new IOException("the progress can't be read: " + e.getCause(), e);
    }
  }

  private static List<String> unfinished(Admin admin, String group, List<String> topics)
      throws ExecutionException, InterruptedException {
    Map<TopicPartition, OffsetAndMetadata> committed =
        admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
    Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
    for (String topic : topics) {
      for (int p = 0; p < PARTITIONS; p++) {
        asked.put(new TopicPartition(topic, p), OffsetSpec.latest());
      }
    }
    List<String> left = new ArrayList<>();
    for (Map.Entry<TopicPartition, ListOffsetsResultInfo> end :
        admin.listOffsets(asked).all().get().entrySet()) {
      OffsetAndMetadata c = committed.get(end.getKey());
      long offset = c == null ? 0 : c.offset();
      if (offset != end.getValue().offset() || (c != null && !c.metadata().isEmpty())) {
        left.add(
            "%s: %d of %d, %s"
                .formatted(
                    end.getKey(), offset, end.getValue().offset(), c == null ? "" : c.metadata()));
      }
    }
    return left;
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

  /** Kafka's; those of one that restarts may be gone. */
  List<Process> processes() {
    return List.copyOf(nodes);
  }

  String bootstrapServers() {
    return cluster.bootstrapServers();
  }

  String registryUrl() {
    return registryUrl;
  }

  /** What each node does now. */
  void explain(PrintStream out) throws IOException, InterruptedException {
    for (int i = 0; i < nodes.size(); i++) {
      PostMortem.print(
          out,
          nodes.get(i),
          log(i + 1),
          List.of("data-plane-kafka-request-handler", "group-coordinator-event-processor"));
    }
  }

  @Override
  public void close() {
    nodes.forEach(Process::destroyForcibly);
    if (registry != null) {
      registry.close();
    }
  }
}
