package dev.amanuensis.bench.fleet;

import dev.amanuensis.broker.EmbeddedBroker;
import dev.amanuensis.broker.RegistryServer;
import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.cli.kafka.Outcome;
import dev.amanuensis.cli.kafka.TranscriptReader;
import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.schema.serde.TrustedClasses;
import dev.amanuensis.schema.topic.Topics;
import dev.amanuensis.worker.Worker;
import dev.amanuensis.worker.config.Setting;
import dev.amanuensis.worker.config.WorkerConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * A real broker, registry and worker in this JVM; jobs go in by a producer and come back by a
 * read_committed consumer, as they would anywhere. One thread uses it.
 */
final class ThroughKafka implements AutoCloseable {
  private static final int PARTITIONS = 4;
  private static final Duration CONNECT = Duration.ofSeconds(30);

  private final EmbeddedBroker broker;
  private final RegistryServer registry;
  private final Worker worker;
  private final TranscriptReader reader;
  private final KafkaProducer<String, byte[]> producer;
  private final Serializer<AudioJob> serializer;

  /**
   * Returns when the worker takes jobs.
   *
   * @param data for the broker, gone with its parent
   * @param root that the audio is below
   */
  ThroughKafka(Path data, Path root, String profile, Path modelDirectory)
      throws CliException, IOException, InterruptedException {
    TrustedClasses.register();
    broker = new EmbeddedBroker(data.resolve("kafka"), 0);
    registry = new RegistryServer(data.resolve("registry"), 0);
    registry.start();
    broker.start();
    broker.createTopics(Topics.all(), PARTITIONS);
    worker = new Worker(WorkerConfig.of(settings(root, profile, modelDirectory), System.getenv()));
    worker.start();
    while (!worker.ready()) {
      if (worker.failure() != null) {
        throw new CliException(
            ExitCodes.INTERNAL, "the worker stopped: " + worker.failure(), worker.failure());
      }
      Thread.sleep(20);
    }
    KafkaTarget target = KafkaTarget.of(broker.bootstrapServers(), registry.url());
    reader = new TranscriptReader(target, CONNECT);
    reader.seekToEnd();
    Map<String, Object> configuration = new HashMap<>();
    configuration.put("bootstrap.servers", broker.bootstrapServers());
    configuration.put(AvroSerdes.REGISTRY_URL, registry.url());
    configuration.put("acks", "all");
    serializer = AvroSerdes.serializer(configuration);
    producer =
        new KafkaProducer<>(configuration, new StringSerializer(), new ByteArraySerializer());
  }

  private Map<String, String> settings(Path root, String profile, Path modelDirectory) {
    Map<String, String> settings = new HashMap<>();
    settings.put(Setting.BOOTSTRAP_SERVERS.key(), broker.bootstrapServers());
    settings.put(Setting.SCHEMA_REGISTRY_URL.key(), registry.url());
    settings.put(Setting.ALLOWED_ROOTS.key(), root.toString());
    settings.put(Setting.PROFILE.key(), profile);
    settings.put(Setting.MODEL_DIR.key(), modelDirectory.toString());
    settings.put(Setting.WORKER_ID.key(), "bench");
    return settings;
  }

  /** Submits all files at once; returns when every result is committed and read. */
  void transcribe(List<Path> files, String language, List<Float> temperatures)
      throws CliException, InterruptedException {
    Set<String> open = new HashSet<>();
    for (Path file : files) {
      AudioJob job = AudioJob.newBuilder().build();
      job.setJobId(UUID.randomUUID().toString());
      job.setAudioUri(file.toUri().toString());
      job.setLanguage(language);
      job.setTemperatures(temperatures);
      job.setSubmittedAt(Instant.now().truncatedTo(ChronoUnit.MILLIS));
      open.add(job.getJobId());
      producer.send(
          new ProducerRecord<>(
              Topics.JOBS, job.getJobId(), serializer.serialize(Topics.JOBS, job)));
    }
    producer.flush();
    while (!open.isEmpty()) {
      for (Outcome outcome : reader.poll(Duration.ofMillis(100))) {
        if (open.remove(outcome.jobId()) && !outcome.completed()) {
          throw new CliException(ExitCodes.FAILED, outcome.failure());
        }
      }
    }
  }

  @Override
  public void close() {
    producer.close();
    serializer.close();
    reader.close();
    worker.close(Duration.ZERO);
    broker.close();
    registry.close();
  }
}
