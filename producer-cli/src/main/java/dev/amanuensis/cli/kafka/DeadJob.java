package dev.amanuensis.cli.kafka;

import dev.amanuensis.schema.DeadLetter;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * One dead letter.
 *
 * @param isReplayed whether its record was put back already
 */
public record DeadJob(int partition, long offset, DeadLetter letter, boolean isReplayed) {
  /** Reason of what a worker never wrote. */
  private static final String UNREADABLE = "UNREADABLE";

  /** A record of the topic that is no dead letter; it can be seen and purged, not replayed. */
  static DeadJob unreadable(ConsumerRecord<String, byte[]> record, Exception e) {
    DeadLetter letter = new DeadLetter();
    letter.setJobId(record.key());
    letter.setReason(UNREADABLE);
    letter.setMessage("this record is no dead letter: " + e.getMessage());
    letter.setValueSize(record.value().length);
    letter.setTopic(record.topic());
    letter.setPartition(record.partition());
    letter.setOffset(record.offset());
    letter.setHeaders(Map.of());
    letter.setWorker("");
    letter.setFailedAt(Instant.ofEpochMilli(record.timestamp()));
    letter.setRecordTimestamp(Instant.ofEpochMilli(record.timestamp()));
    return new DeadJob(record.partition(), record.offset(), letter, false);
  }

  DeadJob replayed(boolean is) {
    return new DeadJob(partition, offset, letter, is);
  }

  /** How a command line names it: partition:offset. */
  public String place() {
    return partition + ":" + offset;
  }

  /** Whether a user means this one by a place or a job's id. */
  public boolean isNamed(String name) {
    return name.equals(place()) || (!isForeign() && name.equals(letter.getJobId()));
  }

  /** Whether all bytes of the original record are here. */
  public boolean isWhole() {
    return letter.getValue() != null && letter.getValue().remaining() == letter.getValueSize();
  }

  /** Whether it is a record of somebody else's, without an original. */
  boolean isForeign() {
    return UNREADABLE.equals(letter.getReason());
  }

  /** Why it can't be replayed, or null if it can. */
  public String obstacle() {
    if (isWhole()) {
      return null;
    }
    return isForeign()
        ? "it is no dead letter"
        : "only a part of the record was kept: submit the file again";
  }

  /** The original record's value, as far as it was kept, or null. */
  public byte[] value() {
    return DeadLetters.bytes(letter.getValue());
  }

  /** Name and value of everything but the record itself, in reading order; JSON's types. */
  public Map<String, Object> fields() {
    Map<String, Object> f = new LinkedHashMap<>();
    f.put("place", place());
    f.put("job_id", letter.getJobId());
    f.put("reason", letter.getReason());
    f.put("message", letter.getMessage());
    f.put("failed_at", String.valueOf(letter.getFailedAt()));
    f.put("attempts", letter.getAttempts());
    f.put("worker", letter.getWorker());
    f.put("source", letter.getTopic() + "-" + letter.getPartition() + "@" + letter.getOffset());
    f.put("record_timestamp", String.valueOf(letter.getRecordTimestamp()));
    f.put("value_size", letter.getValueSize());
    f.put("value_sha256", letter.getValueSha256());
    f.put("whole", isWhole());
    f.put("replayed", isReplayed);
    f.put("headers", headers());
    f.put("stack", letter.getStack());
    return f;
  }

  private Map<String, String> headers() {
    Map<String, String> shown = new TreeMap<>();
    letter
        .getHeaders()
        .forEach(
            (name, value) ->
                shown.put(
                    name,
                    new String(DeadLetters.bytes(value), java.nio.charset.StandardCharsets.UTF_8)));
    return shown;
  }
}
