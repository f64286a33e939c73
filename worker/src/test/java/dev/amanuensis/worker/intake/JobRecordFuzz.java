package dev.amanuensis.worker.intake;

import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.worker.job.Job;
import java.util.Map;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;

/**
 * Fuzz target: a record's value becomes a job or a SerializationException, whatever its bytes are.
 */
public final class JobRecordFuzz {
  static final String TOPIC = "audio-jobs";
  private static final Map<String, String> REGISTRY =
      Map.of(AvroSerdes.REGISTRY_URL, "mock://job-record-fuzz");
  private static final int PREFIX = 5;
  private static final Deserializer<AudioJob> READER;
  private static final byte[] VALID_PREFIX = new byte[PREFIX];

  static {
    try (Serializer<AudioJob> writer = AvroSerdes.serializer(REGISTRY)) {
      byte[] registered = writer.serialize(TOPIC, AudioJob.newBuilder().setJobId("x").build());
      System.arraycopy(registered, 0, VALID_PREFIX, 0, PREFIX);
    }
    READER = AvroSerdes.deserializer(AudioJob.class, REGISTRY);
  }

  private JobRecordFuzz() {}

  /** Loads what the first record needs, which takes longer than any input may. */
  public static void fuzzerInitialize() {
    decode(encode(AudioJob.newBuilder().setJobId("x").build()));
  }

  /** Every second input gets the right magic byte and schema id, so that the rest is looked at. */
  public static void fuzzerTestOneInput(byte[] data) {
    byte[] value = data.clone();
    if (value.length > PREFIX && value[PREFIX - 1] % 2 == 0) {
      System.arraycopy(VALID_PREFIX, 0, value, 0, PREFIX);
    }
    decode(value);
  }

  /** The job, or null for a record that is none. */
  static Job decode(byte[] value) {
    try {
      return JobDecoder.decode(READER.deserialize(TOPIC, value));
    } catch (SerializationException e) {
      return null;
    }
  }

  static byte[] encode(AudioJob job) {
    try (Serializer<AudioJob> writer = AvroSerdes.serializer(REGISTRY)) {
      return writer.serialize(TOPIC, job);
    }
  }
}
