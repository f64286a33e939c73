package dev.amanuensis.schema.topic;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicExistsException;

/** Brings topics into being, and tells how those that exist differ. Changes none that exists. */
public final class TopicCreator {
  private static final String MIN_COPIES = "min.insync.replicas";
  private static final int MOST_MIN_COPIES = 2;

  private final Admin admin;

  /** What became of one topic. */
  public enum State {
    CREATED,
    /** It would be created, were this not a dry run. */
    MISSING,
    EXISTS,
    /** It exists, and is not as recommended. */
    DIFFERS
  }

  /**
   * @param differences for people, such as "partitions 3, recommended 12"
   */
  public record Outcome(NewTopic wanted, State state, List<String> differences) {
    public Outcome {
      differences = List.copyOf(differences);
    }
  }

  /**
   * What to ask Kafka for.
   *
   * @param fleetPartitions of the topics that follow the size of the fleet
   * @param replicationFactor copies of each record; it counts as written once all but one have it,
   *     or two, so that one broker may be lost
   */
  public static List<NewTopic> plan(
      Collection<TopicSpec> topics, int fleetPartitions, int replicationFactor) {
    List<NewTopic> plan = new ArrayList<>();
    for (TopicSpec topic : topics) {
      Map<String, String> config = new TreeMap<>(topic.config());
      if (replicationFactor > 1) {
        config.put(MIN_COPIES, minCopies(replicationFactor));
      }
      plan.add(
          new NewTopic(topic.name(), topic.partitions(fleetPartitions), (short) replicationFactor)
              .configs(config));
    }
    return plan;
  }

  private static String minCopies(int replicationFactor) {
    return Integer.toString(Math.min(MOST_MIN_COPIES, replicationFactor - 1));
  }

  /** The client stays its owner's. */
  public TopicCreator(Admin admin) {
    this.admin = admin;
  }

  /**
   * Creates what is missing; safe to repeat, and to run from several places at once.
   *
   * @param dryRun only tells what would be done
   * @throws ExecutionException with what Kafka's client threw
   */
  public List<Outcome> create(List<NewTopic> wanted, boolean dryRun)
      throws ExecutionException, InterruptedException {
    Set<String> existing = admin.listTopics().names().get();
    List<NewTopic> missing = wanted.stream().filter(t -> !existing.contains(t.name())).toList();
    if (!dryRun) {
      createAll(missing);
    }
    Map<String, List<String>> differences =
        differences(wanted.stream().filter(t -> existing.contains(t.name())).toList());
    List<Outcome> outcomes = new ArrayList<>();
    for (NewTopic topic : wanted) {
      List<String> found = differences.get(topic.name());
      State state =
          found == null
              ? dryRun ? State.MISSING : State.CREATED
              : found.isEmpty() ? State.EXISTS : State.DIFFERS;
      outcomes.add(new Outcome(topic, state, found == null ? List.of() : found));
    }
    return outcomes;
  }

  private void createAll(List<NewTopic> missing) throws ExecutionException, InterruptedException {
    CreateTopicsResult result = admin.createTopics(missing);
    for (NewTopic topic : missing) {
      try {
        result.values().get(topic.name()).get();
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof TopicExistsException)) {
          throw e; // somebody else having been faster is as good
        }
      }
    }
  }

  private Map<String, List<String>> differences(List<NewTopic> topics)
      throws ExecutionException, InterruptedException {
    Map<String, TopicDescription> descriptions =
        admin.describeTopics(topics.stream().map(NewTopic::name).toList()).allTopicNames().get();
    Map<ConfigResource, Config> configs =
        admin.describeConfigs(topics.stream().map(TopicCreator::resource).toList()).all().get();
    Map<String, List<String>> all = new HashMap<>();
    for (NewTopic topic : topics) {
      List<String> found = new ArrayList<>();
      int partitions = descriptions.get(topic.name()).partitions().size();
      if (partitions != topic.numPartitions()) {
        found.add("partitions %d, recommended %d".formatted(partitions, topic.numPartitions()));
      }
      int copies = descriptions.get(topic.name()).partitions().get(0).replicas().size();
      if (copies != topic.replicationFactor()) {
        found.add(
            "replication factor %d, recommended %d".formatted(copies, topic.replicationFactor()));
      }
      Config config = configs.get(resource(topic));
      Map<String, String> wanted = new TreeMap<>(topic.configs());
      // Of the copies that are there: more than those would stop the topic.
      wanted.computeIfPresent(MIN_COPIES, (k, v) -> copies > 1 ? minCopies(copies) : null);
      wanted.forEach(
          (key, value) -> {
            ConfigEntry entry = config.get(key);
            if (entry == null || !value.equals(entry.value())) {
              found.add(
                  "%s %s, recommended %s"
                      .formatted(key, entry == null ? "unknown" : entry.value(), value));
            }
          });
      all.put(topic.name(), found.stream().sorted().toList());
    }
    return all;
  }

  private static ConfigResource resource(NewTopic topic) {
    return new ConfigResource(ConfigResource.Type.TOPIC, topic.name());
  }
}
