package dev.amanuensis.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.schema.serde.RegistryFailure;
import dev.amanuensis.schema.serde.TrustedClasses;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;
import org.junit.jupiter.api.Test;

class AvroSerdesTest {
  private static final Map<String, String> CONFIG =
      Map.of(AvroSerdes.REGISTRY_URL, "mock://serdes-test");

  static {
    TrustedClasses.register();
  }

  @Test
  void recordsComeBackAsTheyWere() {
    AudioJob job =
        AudioJob.newBuilder()
            .setJobId("j-1")
            .setAudio(ByteBuffer.wrap(new byte[] {1, 2, 3}))
            .setTemperatures(List.of(0f, 0.5f))
            .setSubmittedAt(Instant.ofEpochMilli(1_700_000_000_123L))
            .setMetadata(Map.of("tenant", "a"))
            .build();
    try (Serializer<AudioJob> serializer = AvroSerdes.serializer(CONFIG);
        Deserializer<AudioJob> deserializer = AvroSerdes.deserializer(AudioJob.class, CONFIG)) {
      byte[] bytes = serializer.serialize("audio-jobs", job);
      assertThat(bytes[0]).as("Confluent's magic byte").isZero();
      assertThat(deserializer.deserialize("audio-jobs", bytes)).isEqualTo(job);
    }
  }

  @Test
  void bytesThatAreNotAvroAreABadRecord() {
    try (Deserializer<AudioJob> deserializer = AvroSerdes.deserializer(AudioJob.class, CONFIG)) {
      for (byte[] bytes :
          List.of(new byte[] {7}, "{\"job_id\": 1}".getBytes(), new byte[] {0, 0, 0, 0, 1})) {
        assertThatThrownBy(() -> deserializer.deserialize("audio-jobs", bytes))
            .isInstanceOf(SerializationException.class);
      }
    }
  }

  @Test
  void anotherRecordTypeIsABadRecord() {
    try (Serializer<DeadLetter> serializer = AvroSerdes.serializer(CONFIG);
        Deserializer<AudioJob> deserializer = AvroSerdes.deserializer(AudioJob.class, CONFIG)) {
      byte[] bytes = serializer.serialize("audio-jobs.dlq", DeadLetter.newBuilder().build());
      assertThatThrownBy(() -> deserializer.deserialize("audio-jobs.dlq", bytes))
          .isInstanceOf(SerializationException.class)
          .isNotInstanceOf(RegistryFailure.class);
    }
  }

  @Test
  void registryOutOfReachIsNotABadRecord() {
    Map<String, String> nowhere = Map.of(AvroSerdes.REGISTRY_URL, "http://127.0.0.1:9");
    try (Deserializer<AudioJob> deserializer = AvroSerdes.deserializer(AudioJob.class, nowhere)) {
      assertThatThrownBy(() -> deserializer.deserialize("t", new byte[] {0, 0, 0, 0, 1, 2}))
          .isInstanceOf(RegistryFailure.class);
    }
  }
}
