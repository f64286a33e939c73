package dev.amanuensis.worker.publish;

import java.util.Collection;
import java.util.TreeSet;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;

/** What Kafka refuses a worker, in words that say which right to grant. */
public final class Refusal {
  private Refusal() {}

  /** The refusal that a failure is or comes from; null if it is none. */
  public static AuthorizationException in(Throwable failure) {
    for (Throwable e = failure; e != null; e = e.getCause()) {
      if (e instanceof AuthorizationException refusal) {
        return refusal;
      }
    }
    return null;
  }

  /**
   * Says what a failure is: a refusal by the right that is missing, all else by its own words.
   *
   * @param operation that was tried on topics
   */
  public static String explain(Throwable failure, AclOperation operation) {
    AuthorizationException e = in(failure);
    if (e instanceof TopicAuthorizationException t && !t.unauthorizedTopics().isEmpty()) {
      return topics(operation, t.unauthorizedTopics());
    }
    return failure.toString();
  }

  static String topics(AclOperation operation, Collection<String> topics) {
    return missing(operation, "topic " + String.join(", ", new TreeSet<>(topics)));
  }

  /** Of the group's id. */
  public static String group(Object id) {
    return missing(AclOperation.READ, "group " + id);
  }

  static String transactions(Object id) {
    return missing(AclOperation.WRITE, "transactional id " + id);
  }

  private static String missing(AclOperation operation, String resource) {
    return "Kafka refuses this worker's principal %s on %s; grant it (docs/security.md lists all rights)"
        .formatted(operation, resource);
  }
}
