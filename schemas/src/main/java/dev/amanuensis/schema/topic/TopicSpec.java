package dev.amanuensis.schema.topic;

import java.util.Map;

/**
 * How a topic should be created.
 *
 * @param scaled whether its partitions follow the size of the fleet; else it has one
 * @param config topic settings, Kafka's names
 * @param purpose one line for people
 */
public record TopicSpec(String name, boolean scaled, Map<String, String> config, String purpose) {
  public TopicSpec {
    config = Map.copyOf(config);
  }

  /**
   * @param fleetPartitions of the topics that scale; all lanes get the same number, so that the
   *     range assignor gives a worker the same partitions of each
   */
  public int partitions(int fleetPartitions) {
    return scaled ? fleetPartitions : 1;
  }
}
