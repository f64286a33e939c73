package dev.amanuensis.broker;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.utils.Time;

/**
 * A broker and controller of a cluster of several, alone in its process: for tests that kill and
 * restart brokers. Records are written once two nodes have them. Loopback only.
 */
public final class BrokerNode {
  /**
   * A cluster: nodes are numbered from 1.
   *
   * @param id Kafka's cluster id
   * @param clientPorts one per node
   * @param controllerPorts one per node
   */
  public record Cluster(String id, List<Integer> clientPorts, List<Integer> controllerPorts) {
    public Cluster {
      clientPorts = List.copyOf(clientPorts);
      controllerPorts = List.copyOf(controllerPorts);
    }

    public int nodes() {
      return clientPorts.size();
    }

    /** host:port of each node, for clients. */
    public String bootstrapServers() {
      StringJoiner all = new StringJoiner(",");
      clientPorts.forEach(p -> all.add("localhost:" + p));
      return all.toString();
    }

    /** Arguments of {@link BrokerNode#main} for one node. */
    public List<String> arguments(int node, Path dataDirectory) {
      return List.of(
          Integer.toString(node),
          dataDirectory.toString(),
          id,
          join(clientPorts),
          join(controllerPorts));
    }

    private static String join(List<Integer> ports) {
      return String.join(",", ports.stream().map(Object::toString).toList());
    }
  }

  private BrokerNode() {}

  /** Runs until the process is told to end. */
  public static void main(String[] arguments) throws IOException {
    int node = Integer.parseInt(arguments[0]);
    Path data = Path.of(arguments[1]);
    Cluster cluster = new Cluster(arguments[2], ports(arguments[3]), ports(arguments[4]));
    BrokerStorage.formatIfNew(data, node, cluster.id());
    KafkaRaftServer server =
        new KafkaRaftServer(new KafkaConfig(settings(cluster, node, data), false), Time.SYSTEM);
    Runtime.getRuntime().addShutdownHook(new Thread(server::shutdown));
    server.startup();
    server.awaitShutdown();
  }

  private static List<Integer> ports(String list) {
    return List.of(list.split(",")).stream().map(Integer::valueOf).toList();
  }

  private static Map<String, Object> settings(Cluster cluster, int node, Path data) {
    int client = cluster.clientPorts().get(node - 1);
    int controller = cluster.controllerPorts().get(node - 1);
    Map<String, Object> s = new HashMap<>(new BrokerSettings(data, client, controller).toMap());
    s.put("node.id", Integer.toString(node));
    StringJoiner voters = new StringJoiner(",");
    for (int n = 1; n <= cluster.nodes(); n++) {
      voters.add("%d@localhost:%d".formatted(n, cluster.controllerPorts().get(n - 1)));
    }
    s.put("controller.quorum.voters", voters.toString());
    String copies = Integer.toString(Math.min(3, cluster.nodes()));
    String written = Integer.toString(Math.max(1, Math.min(3, cluster.nodes()) - 1));
    for (String topic :
        List.of("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")) {
      s.put(topic + ".replication.factor", copies);
    }
    s.put("default.replication.factor", copies);
    s.put("min.insync.replicas", written);
    s.put("transaction.state.log.min.isr", written);
    s.put("share.coordinator.state.topic.min.isr", written);
    // A broker that is killed is to be missed soon.
    s.put("broker.session.timeout.ms", "4000");
    s.put("broker.heartbeat.interval.ms", "1000");
    s.put("replica.lag.time.max.ms", "5000");
    return s;
  }
}
