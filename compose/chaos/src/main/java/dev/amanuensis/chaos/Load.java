package dev.amanuensis.chaos;

import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.schema.topic.Topics;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serializer;

/** Submits the jobs of a run: good ones, poison and what is no job, mixed by the seed. */
final class Load {
  private static final int RATE = 16_000;
  private static final double SECONDS = 0.25;

  /** One job in so many has two windows and goes through the spill folder. */
  private static final int LONG_EACH = 100;

  private static final int LONG_RATE = 8_000;
  private static final int LONG_SECONDS = 40;

  private final ChaosOptions options;
  private final ChaosCluster cluster;

  Load(ChaosOptions options, ChaosCluster cluster) {
    this.options = options;
    this.cluster = cluster;
  }

  static String id(int number) {
    return "job-%06d".formatted(number);
  }

  static String poisonId(int number) {
    return "poison-" + number;
  }

  /**
   * Returns once the brokers have everything.
   *
   * @throws IOException if something was not taken: then nothing can be said about the run
   */
  void submit() throws IOException {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < options.jobs() + options.poison() + options.undecodable(); i++) {
      order.add(i);
    }
    Random random = new Random(options.seed());
    Collections.shuffle(order, random);
    List<byte[]> audio = new ArrayList<>();
    for (Path file : options.audio()) {
      audio.add(Files.readAllBytes(file));
    }
    Map<String, Object> config =
        new HashMap<>(
            Map.of(
                "bootstrap.servers",
                cluster.bootstrapServers(),
                "acks",
                "all",
                "linger.ms",
                5,
                AvroSerdes.REGISTRY_URL,
                cluster.registryUrl()));
    AtomicReference<Exception> failure = new AtomicReference<>();
    try (Serializer<AudioJob> serializer = AvroSerdes.serializer(config);
        Producer<byte[], byte[]> producer =
            new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
      for (int n : order) {
        String topic = Topics.LANES.get(n % Topics.LANES.size());
        producer.send(
            record(topic, n, audio, serializer, random),
            (metadata, e) -> {
              if (e != null) {
                failure.set(e);
              }
            });
      }
      producer.flush();
    }
    if (failure.get() != null) {
      throw new IOException("a job was not taken: " + failure.get(), failure.get());
    }
  }

  private ProducerRecord<byte[], byte[]> record(
      String topic, int n, List<byte[]> audio, Serializer<AudioJob> serializer, Random random) {
    if (n >= options.submitted()) {
      byte[] noise = new byte[200];
      random.nextBytes(noise);
      noise[0] = 1; // never Confluent's magic byte
      return new ProducerRecord<>(topic, bytes("junk-" + n), noise);
    }
    boolean poison = n >= options.jobs();
    String id = poison ? poisonId(n - options.jobs()) : id(n);
    byte[] sound =
        !audio.isEmpty() ? audio.get(n % audio.size()) : n % LONG_EACH == 7 ? hum(n) : tone(n);
    AudioJob job =
        AudioJob.newBuilder()
            .setJobId(id)
            .setAudio(ByteBuffer.wrap(sound))
            .setLanguage("en")
            .setSubmittedAt(Instant.now())
            .setMetadata(poison ? Map.of(ChaosWorker.POISON, "yes") : Map.of())
            .build();
    return new ProducerRecord<>(topic, bytes(id), serializer.serialize(topic, job));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** A longer WAV file, of one byte a sample. */
  private static byte[] hum(int n) {
    int samples = LONG_RATE * LONG_SECONDS;
    ByteBuffer b = ByteBuffer.allocate(44 + samples).order(ByteOrder.LITTLE_ENDIAN);
    b.put(bytes("RIFF")).putInt(36 + samples).put(bytes("WAVEfmt ")).putInt(16);
    b.putShort((short) 1).putShort((short) 1).putInt(LONG_RATE).putInt(LONG_RATE);
    b.putShort((short) 1).putShort((short) 8).put(bytes("data")).putInt(samples);
    for (int i = 0; i < samples; i++) {
      b.put((byte) (128 + 60 * Math.sin(2 * Math.PI * (50 + n % 300) * i / LONG_RATE)));
    }
    return b.array();
  }

  /** A WAV file whose pitch depends on the job, so that results can be told apart. */
  private static byte[] tone(int n) {
    int samples = (int) (RATE * SECONDS);
    ByteBuffer b = ByteBuffer.allocate(44 + 2 * samples).order(ByteOrder.LITTLE_ENDIAN);
    b.put(bytes("RIFF")).putInt(36 + 2 * samples).put(bytes("WAVEfmt ")).putInt(16);
    b.putShort((short) 1).putShort((short) 1).putInt(RATE).putInt(2 * RATE);
    b.putShort((short) 2).putShort((short) 16).put(bytes("data")).putInt(2 * samples);
    double pitch = 100 + n % 4_000;
    for (int i = 0; i < samples; i++) {
      b.putShort((short) (8000 * Math.sin(2 * Math.PI * pitch * i / RATE)));
    }
    return b.array();
  }
}
