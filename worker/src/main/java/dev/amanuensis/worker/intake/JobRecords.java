package dev.amanuensis.worker.intake;

import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.worker.job.Job;
import java.util.Map;
import org.apache.kafka.common.serialization.Deserializer;

/** Reads a job's record outside a delivery loop. */
public final class JobRecords {
  private JobRecords() {}

  /**
   * @param value of the record
   * @param registry configuration of the deserializer
   */
  public static Job decode(byte[] value, Map<String, Object> registry) {
    try (Deserializer<AudioJob> deserializer = AvroSerdes.deserializer(AudioJob.class, registry)) {
      return JobDecoder.decode(deserializer.deserialize("", value));
    }
  }
}
