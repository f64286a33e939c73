package dev.amanuensis.chaos;

import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.schema.topic.Topics;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serializer;

/** Submits the jobs of a run: good ones, poison and what is no job, mixed by the seed. */
final class Load {
  private static final String JOB = "job-";

  /** One job in so many has its audio in the storage. */
  private static final int REFERENCE_EACH = 10;

  private final ChaosOptions options;
  private final ChaosCluster cluster;
  private final Sounds sounds;
  private final Map<String, Integer> partitions = new ConcurrentHashMap<>();

  /** Share of the records that may go in; the rest waits. Guarded by this. */
  private double share;

  Load(ChaosOptions options, ChaosCluster cluster, Sounds sounds) {
    this.options = options;
    this.cluster = cluster;
    this.sounds = sounds;
  }

  static String id(int number) {
    return JOB + "%06d".formatted(number);
  }

  static String poisonId(int number) {
    return "poison-" + number;
  }

  /** The storage's object of that key: a good job's audio; null if there is none. */
  static byte[] object(String key, Sounds sounds) {
    return key.matches(JOB + "\\d{6}")
        ? sounds.file(Integer.parseInt(key.substring(JOB.length())))
        : null;
  }

  /**
   * Returns once the brokers have everything.
   *
   * @throws IOException if something was not taken: then nothing can be said about the run
   */
  void submit() throws IOException, InterruptedException {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < options.submitted() + options.undecodable(); i++) {
      order.add(i);
    }
    Random random = new Random(options.seed());
    Collections.shuffle(order, random);
    Map<String, Object> config = new HashMap<>();
    config.put("bootstrap.servers", cluster.bootstrapServers());
    config.put("acks", "all");
    config.put("linger.ms", 5);
    // With more, a second batch may overtake the first in a topic made a moment ago, which is then
    // refused for ever: a fault, but none of the fleet's.
    config.put("max.in.flight.requests.per.connection", 1);
    config.put(AvroSerdes.REGISTRY_URL, cluster.registryUrl());
    AtomicReference<Exception> failure = new AtomicReference<>();
    try (Serializer<AudioJob> serializer = AvroSerdes.serializer(config);
        Producer<byte[], byte[]> producer =
            new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
      for (int i = 0; i < order.size(); i++) {
        awaitTurn((double) i / order.size(), producer);
        int n = order.get(i);
        ProducerRecord<byte[], byte[]> record = record(n, serializer, random);
        producer.send(
            record,
            (metadata, e) -> {
              if (e != null) {
                failure.set(e);
              } else {
                partitions.put(
                    new String(record.key(), StandardCharsets.UTF_8), metadata.partition());
              }
            });
      }
      producer.flush();
    }
    if (failure.get() != null) {
      throw new IOException("a job was not taken: " + failure.get(), failure.get());
    }
  }

  /** No more than this share of the records goes in for now. */
  synchronized void open(double upTo) {
    share = upTo;
    notifyAll();
  }

  private synchronized void awaitTurn(double place, Producer<?, ?> producer)
      throws InterruptedException {
    if (place >= share) {
      producer.flush();
    }
    while (place >= share) {
      wait();
    }
  }

  private ProducerRecord<byte[], byte[]> record(
      int n, Serializer<AudioJob> serializer, Random random) {
    String lane = Topics.LANES.get(n % Topics.LANES.size());
    if (n >= options.submitted()) {
      byte[] noise = new byte[200];
      random.nextBytes(noise);
      noise[0] = 1; // never Confluent's magic byte
      return new ProducerRecord<>(lane, bytes("junk-" + n), noise);
    }
    boolean poison = n >= options.jobs();
    String id = poison ? poisonId(n - options.jobs()) : id(n);
    String topic = !poison && sounds.isSpeech(n) ? ChaosCluster.SPEECH_TOPIC : lane;
    AudioJob job =
        AudioJob.newBuilder()
            .setJobId(id)
            .setLanguage("en")
            .setSubmittedAt(Instant.now())
            .setMetadata(poison ? Map.of(ChaosWorker.POISON, "yes") : Map.of())
            .build();
    if (!poison && n % REFERENCE_EACH == 3) {
      job.setAudioUri(Storage.uri(id));
    } else {
      job.setAudio(ByteBuffer.wrap(sounds.file(n)));
    }
    return new ProducerRecord<>(topic, bytes(id), serializer.serialize(topic, job));
  }

  /** The partition that a job went to, or null while that is not known. */
  Integer partition(String jobId) {
    return partitions.get(jobId);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
