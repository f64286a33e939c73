package dev.amanuensis.worker.intake;

import dev.amanuensis.worker.publish.Refusal;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What Kafka refuses now. That a right is back shows by no refusal alone, so each holds for some
 * seconds. Belongs to the loop thread, but for {@link #current}.
 */
final class Refusals {
  private static final Logger LOG = LoggerFactory.getLogger(Refusals.class);
  private static final long HOLDS_NANOS = 3_000_000_000L;
  private static final long SAY_AGAIN_NANOS = 30_000_000_000L;

  private final Object group;
  private final Map<String, Long> topics = new HashMap<>();
  private String reading;
  private long readingAt;
  private String said;
  private long saidAt;
  private volatile String current;

  /** Of a member of this group. */
  Refusals(Object group) {
    this.group = group;
  }

  /** Something can't be read or committed. The same is said again now and then only. */
  void noted(AuthorizationException e) {
    long now = System.nanoTime();
    reading =
        e instanceof GroupAuthorizationException
            ? Refusal.group(group)
            : Refusal.explain(e, AclOperation.READ);
    readingAt = now;
    current = reading;
    if (e instanceof TopicAuthorizationException t) {
      t.unauthorizedTopics().forEach(topic -> topics.put(topic, now));
    }
    if (!reading.equals(said) || now - saidAt > SAY_AGAIN_NANOS) {
      LOG.error("{}; trying again", reading);
      said = reading;
      saidAt = now;
    }
  }

  /** Whether a topic was refused a moment ago. */
  boolean holds(String topic) {
    Long at = topics.get(topic);
    return at != null && System.nanoTime() - at < HOLDS_NANOS;
  }

  /**
   * Once in each turn of the loop.
   *
   * @param publishing why results can't be published, or null
   */
  void turn(String publishing) {
    if (reading != null && System.nanoTime() - readingAt >= HOLDS_NANOS) {
      reading = null;
      topics.clear();
    }
    current = reading == null ? publishing : reading;
  }

  /** What is refused now, or null. */
  String current() {
    return current;
  }
}
