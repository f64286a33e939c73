package dev.amanuensis.broker;

import dev.amanuensis.schema.topic.TopicCreator;
import dev.amanuensis.schema.topic.TopicSpec;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.LockSupport;
import kafka.server.BrokerServer;
import kafka.server.ControllerServer;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.server.SharedServer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.internals.Exit;
import org.apache.kafka.metadata.bootstrap.BootstrapMetadata;
import org.apache.kafka.metadata.properties.MetaPropertiesEnsemble;
import org.apache.kafka.server.ServerSocketFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Tuple2;

/**
 * A real Kafka broker with its KRaft controller in this JVM. Its data folder is formatted when it
 * is new and never again, so topics, records and group offsets survive a restart. Loopback only.
 */
public final class EmbeddedBroker implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EmbeddedBroker.class);

  private static final Duration FAILED_END = Duration.ofSeconds(1);

  private final Path dataDirectory;
  private final int port;
  private final Map<String, String> more;
  private final Map<String, ServerSocketChannel> bound = new ConcurrentHashMap<>();
  private SharedServer shared;
  private ControllerServer controller;
  private BrokerServer broker;
  private String bootstrapServers;
  private volatile IllegalStateException failure;

  /**
   * @param dataDirectory of the broker; created if it is missing
   * @param port to serve on; 0: a free one
   */
  public EmbeddedBroker(Path dataDirectory, int port) {
    this(dataDirectory, port, Map.of());
  }

  /**
   * @param more settings of the broker, which win over ours: TLS, SASL, an authorizer
   */
  public EmbeddedBroker(Path dataDirectory, int port, Map<String, String> more) {
    this.dataDirectory = dataDirectory.toAbsolutePath();
    this.port = port;
    this.more = Map.copyOf(more);
  }

  /**
   * Returns once clients are served.
   *
   * @throws IOException if the port is taken or the folder can't be used; nothing runs then
   */
  public void start() throws IOException {
    try {
      startServers();
    } catch (IOException | RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private void startServers() throws IOException {
    // Bound before the configuration is written: an advertised port that is free stays ours.
    int clientPort = bind(BrokerSettings.CLIENT_LISTENER, port);
    int controllerPort = bind(BrokerSettings.CONTROLLER_LISTENER, 0);
    BrokerSettings settings = new BrokerSettings(dataDirectory, clientPort, controllerPort);
    BrokerStorage.formatIfNew(dataDirectory);
    Map<String, Object> all = new HashMap<>(settings.toMap());
    all.putAll(more);
    KafkaConfig config = new KafkaConfig(all, false);
    Tuple2<MetaPropertiesEnsemble, BootstrapMetadata> storage =
        KafkaRaftServer.initializeLogDirs(config, LOG, "");
    shared =
        new SharedServer(
            config,
            storage._1(),
            Time.SYSTEM,
            new Metrics(),
            CompletableFuture.completedFuture(
                Map.of(
                    BrokerSettings.NODE_ID,
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), controllerPort))),
            List.of(),
            (name, fatal, action) ->
                (message, cause) -> {
                  LOG.error("broker fault in {}: {}", name, message, cause);
                  if (fatal && failure == null) {
                    failure = new IllegalStateException(name + ": " + message, cause);
                  }
                  return new IllegalStateException(message, cause);
                },
            new BoundSockets());
    controller = new ControllerServer(shared, KafkaRaftServer.configSchema(), storage._2());
    broker = new BrokerServer(shared);
    controller.startup();
    broker.startup();
    bootstrapServers = "localhost:" + clientPort;
  }

  private int bind(String listener, int wanted) throws IOException {
    ServerSocketChannel channel = ServerSocketChannel.open();
    try {
      ServerSocket socket = channel.socket();
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), wanted));
    } catch (IOException e) {
      channel.close();
      throw new IOException(
          "port %d on the loopback interface can't be used for Kafka: %s"
              .formatted(wanted, e.getMessage()),
          e);
    }
    bound.put(listener, channel);
    return channel.socket().getLocalPort();
  }

  /** What ended the broker, though its ports may still be open; null while it serves. */
  public Throwable failure() {
    return failure;
  }

  /** host:port for clients. */
  public String bootstrapServers() {
    return bootstrapServers;
  }

  /**
   * Creates the topics that do not exist yet, without replicas.
   *
   * @param fleetPartitions of those that follow the size of the fleet
   */
  public void createTopics(Collection<TopicSpec> topics, int fleetPartitions)
      throws IOException, InterruptedException {
    create(TopicCreator.plan(topics, fleetPartitions, 1));
  }

  /**
   * Creates the topics that do not exist yet.
   *
   * @param partitions by topic
   * @param config of each topic, for example max.message.bytes
   */
  public void createTopics(Map<String, Integer> partitions, Map<String, String> config)
      throws IOException, InterruptedException {
    create(
        partitions.entrySet().stream()
            .map(e -> new NewTopic(e.getKey(), e.getValue(), (short) 1).configs(config))
            .toList());
  }

  private void create(List<NewTopic> topics) throws IOException, InterruptedException {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers))) {
      new TopicCreator(admin).create(topics, false);
    } catch (ExecutionException e) {
      throw new IOException("topics can't be created: " + e.getCause().getMessage(), e);
    }
  }

  /**
   * Instead of {@link #close} where the process is about to end: that its data is deleted meanwhile
   * is no reason for the broker to end the process with a status of its own.
   */
  public void leave() {
    Exit.setHaltProcedure((status, message) -> LockSupport.park());
    Exit.setExitProcedure((status, message) -> LockSupport.park());
  }

  @Override
  public void close() {
    quietly(broker == null ? null : this::shutDownBroker);
    quietly(controller == null ? null : controller::shutdown);
    bound.values().forEach(channel -> quietly(channel::close));
    bound.clear();
  }

  /**
   * With a controller that failed, or never served, it can't agree on its end, and would ask for
   * five minutes.
   */
  private void shutDownBroker() {
    if (failure == null && bootstrapServers != null) {
      broker.shutdown();
    } else {
      broker.shutdown(FAILED_END);
    }
  }

  private interface Closing {
    void run() throws Exception;
  }

  private static void quietly(Closing closing) {
    try {
      if (closing != null) {
        closing.run();
      }
    } catch (Exception e) {
      LOG.warn("closing the broker", e);
    }
  }

  /** Hands over the sockets that {@link #bind} opened. */
  private final class BoundSockets implements ServerSocketFactory {
    @Override
    public ServerSocketChannel openServerSocket(
        String listener, InetSocketAddress address, int backlog, int receiveBuffer)
        throws IOException {
      ServerSocketChannel channel = bound.remove(listener);
      if (channel == null) {
        return ServerSocketFactory.INSTANCE.openServerSocket(
            listener, address, backlog, receiveBuffer);
      }
      channel.configureBlocking(false);
      return channel;
    }
  }
}
