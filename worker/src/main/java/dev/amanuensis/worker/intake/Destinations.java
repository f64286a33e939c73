package dev.amanuensis.worker.intake;

import dev.amanuensis.worker.publish.Refusal;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.acl.AclOperation;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which topics take results now. One that is missing or refuses us would spoil every transaction
 * that writes to it, and a producer waits long for a topic that is not there: so it is asked for
 * first, and what goes there waits while everything else is published. Belongs to the loop thread.
 */
final class Destinations {
  private static final Logger LOG = LoggerFactory.getLogger(Destinations.class);
  private static final Duration ASK = Duration.ofSeconds(2);
  private static final Duration FIRST = Duration.ofMillis(500);
  private static final Duration LONGEST = Duration.ofSeconds(5);

  private final Set<String> known = new HashSet<>();
  private final Map<String, Backoff> shut = new HashMap<>();
  private String refusal;

  /** Whether a result for these topics may be tried now. */
  boolean take(Collection<String> topics, Consumer<?, ?> consumer) {
    return topics.stream().allMatch(t -> takes(t, consumer));
  }

  private boolean takes(String topic, Consumer<?, ?> consumer) {
    Backoff wait = shut.get(topic);
    if (wait != null && !wait.over()) {
      return false;
    }
    return known.contains(topic) || isThere(topic, consumer);
  }

  private boolean isThere(String topic, Consumer<?, ?> consumer) {
    try {
      if (consumer.partitionsFor(topic, ASK).isEmpty()) {
        refused(topic, "there is no such topic; 'amanuensis topics create' makes it");
        return false;
      }
    } catch (KafkaException e) {
      refused(topic, Refusal.explain(e, AclOperation.WRITE));
      return false;
    }
    known.add(topic);
    return true;
  }

  /** Whether the topic has refused and was not written to since. */
  boolean doubtful(Collection<String> topics) {
    return topics.stream().anyMatch(shut::containsKey);
  }

  /** What goes there waits, longer each time. */
  void refused(String topic, String reason) {
    refusal = "results for %s wait: %s".formatted(topic, reason);
    LOG.error(refusal);
    known.remove(topic);
    shut.computeIfAbsent(topic, t -> new Backoff(FIRST, LONGEST)).failed();
  }

  /** A transaction with results for these topics was committed. */
  void accepted(Collection<String> topics) {
    shut.keySet().removeAll(topics);
  }

  /** Why the last topic that does not take results refuses them; null if all take them. */
  String refusal() {
    return shut.isEmpty() ? null : refusal;
  }
}
