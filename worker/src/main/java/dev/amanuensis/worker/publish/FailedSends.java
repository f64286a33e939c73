package dev.amanuensis.worker.publish;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.TransactionAbortedException;

/**
 * Which sends of a transaction failed, and whether that is the record's or its topic's fault.
 *
 * @param tooLarge numbers of the records that the client or the broker refuses for their size
 * @param refused topics that took nothing while others did or may have, and why
 */
record FailedSends(int count, Set<Integer> tooLarge, Map<String, String> refused) {
  /**
   * @param sent futures of the first of these records; those not done count as not failed
   */
  static FailedSends of(
      List<ProducerRecord<byte[], byte[]>> records, List<Future<RecordMetadata>> sent) {
    Set<Integer> tooLarge = new HashSet<>();
    Map<String, String> refused = new HashMap<>();
    int count = 0;
    for (int i = 0; i < sent.size(); i++) {
      Throwable cause = cause(sent.get(i));
      if (cause == null) {
        continue;
      }
      count++;
      if (cause instanceof RecordTooLargeException) {
        tooLarge.add(i);
      } else if (cause instanceof TopicAuthorizationException e
          && !e.unauthorizedTopics().isEmpty()) {
        // All that was not sent yet fails with it, whatever its topic.
        e.unauthorizedTopics()
            .forEach(t -> refused.put(t, Refusal.topics(AclOperation.WRITE, List.of(t))));
      } else if (!(cause instanceof TransactionAbortedException)) {
        refused.put(records.get(i).topic(), cause.toString());
      }
    }
    Set<String> topics = records.stream().map(ProducerRecord::topic).collect(Collectors.toSet());
    // If none of several topics took anything it is hardly their fault.
    boolean all = topics.size() > 1 && refused.keySet().containsAll(topics);
    return new FailedSends(count, Set.copyOf(tooLarge), all ? Map.of() : Map.copyOf(refused));
  }

  boolean any() {
    return count > 0;
  }

  /** Why a send failed; null if it did not, or is not done. */
  static Throwable cause(Future<RecordMetadata> send) {
    if (!send.isDone()) {
      return null;
    }
    try {
      send.get();
      return null;
    } catch (ExecutionException e) {
      return e.getCause();
    } catch (InterruptedException e) {
      throw new InterruptException(e);
    }
  }
}
