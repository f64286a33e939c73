import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.Status;
import dev.amanuensis.schema.Transcript;
import dev.amanuensis.schema.serde.AvroSerdes;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Sends a file as an AudioJob through Kafka and prints its transcript. With the jars of the distribution:
 * {@code java -cp 'lib/*' KafkaTranscribe.java BOOTSTRAP_SERVERS REGISTRY_URL FILE}
 */
public final class KafkaTranscribe {
  public static void main(String[] args) throws Exception {
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", args[0]);
    settings.put(AvroSerdes.REGISTRY_URL, args[1]);
    settings.put("isolation.level", "read_committed");
    String id = UUID.randomUUID().toString();
    try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer());
        var producer = new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer());
        Serializer<AudioJob> serializer = AvroSerdes.serializer(settings);
        Deserializer<Transcript> deserializer = AvroSerdes.deserializer(Transcript.class, settings)) {
      // From where the topic ends now, so that the result can't be missed; the position is asked for at once.
      List<TopicPartition> partitions =
          consumer.partitionsFor("transcripts").stream().map(p -> new TopicPartition(p.topic(), p.partition())).toList();
      consumer.assign(partitions);
      consumer.seekToEnd(partitions);
      partitions.forEach(consumer::position);
      // Fields that are not set have the schema's defaults. Up to about 1 MB travels inside the record; larger audio is
      // named by audio_uri (s3: or https: or file:, as the workers allow).
      AudioJob job =
          AudioJob.newBuilder()
              .setJobId(id)
              .setAudio(ByteBuffer.wrap(Files.readAllBytes(Path.of(args[2]))))
              .setWordTimestamps(true)
              .setSubmittedAt(Instant.now().truncatedTo(ChronoUnit.MILLIS))
              .setMetadata(Map.of("file", args[2]))
              .build();
      producer.send(new ProducerRecord<>("audio-jobs", id, serializer.serialize("audio-jobs", job))).get();
      System.out.println(await(id, consumer, deserializer).getText().strip());
    }
  }

  private static Transcript await(
      String id, KafkaConsumer<String, byte[]> consumer, Deserializer<Transcript> deserializer) {
    Instant until = Instant.now().plus(Duration.ofMinutes(10));
    while (Instant.now().isBefore(until)) {
      for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
        if (id.equals(record.key())) {
          Transcript transcript = deserializer.deserialize(record.topic(), record.value());
          if (transcript.getStatus() != Status.COMPLETED) {
            throw new IllegalStateException(transcript.getErrorCode() + ": " + transcript.getErrorMessage());
          }
          return transcript;
        }
      }
    }
    throw new IllegalStateException("no transcript within 10 minutes");
  }
}
