package dev.amanuensis.worker.publish;

import dev.amanuensis.worker.job.JobResult;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * What answers a record, ready to be sent.
 *
 * @param records the transcript, the dead letter, or both
 * @param result that the transcript tells, which may be another than the job had
 *     (RESULT_TOO_LARGE); null where the record is no job
 * @param deadLetter why there is one; null where there is none
 */
public record Encoded(
    List<ProducerRecord<byte[], byte[]>> records, JobResult result, String deadLetter) {
  /** Of the values. */
  public int bytes() {
    return records.stream().mapToInt(r -> r.value().length).sum();
  }
}
