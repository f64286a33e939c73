package dev.amanuensis.cli.kafka;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.serde.AvroSerdes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Puts files into the topic of jobs. One thread uses it. */
public final class JobSubmitter implements AutoCloseable {
  /** Below Kafka's default limit of 1 MiB for a record, with room for the job's other fields. */
  public static final long MAX_INLINE_BYTES = 1_000_000;

  /** The producer's own limit; the broker's and the topic's say what is really taken. */
  private static final int MAX_REQUEST_BYTES = 64 << 20;

  private final KafkaTarget target;
  private final JobOptions options;
  private final Limits limits;
  private final Duration timeout;
  private final KafkaProducer<String, byte[]> producer;
  private final Serializer<AudioJob> serializer;
  private final AtomicReference<Exception> failure = new AtomicReference<>();

  /**
   * What travels inside a record.
   *
   * @param maxInlineBytes larger files are submitted as references
   */
  public record Limits(long maxInlineBytes) {
    /** Fits a broker with Kafka's default limits. */
    public static final Limits DEFAULT = new Limits(MAX_INLINE_BYTES);
  }

  public JobSubmitter(KafkaTarget target, JobOptions options, Limits limits, Duration timeout)
      throws CliException {
    this.target = target;
    this.options = options;
    this.limits = limits;
    this.timeout = timeout;
    Map<String, Object> configuration = target.commonConfiguration();
    configuration.put("acks", "all");
    configuration.put("enable.idempotence", true);
    configuration.put("max.request.size", MAX_REQUEST_BYTES);
    configuration.put("max.block.ms", timeout.toMillis());
    try {
      serializer = AvroSerdes.serializer(configuration);
      producer =
          new KafkaProducer<>(configuration, new StringSerializer(), new ByteArraySerializer());
    } catch (KafkaException e) {
      throw KafkaFailures.explain(e, target, timeout);
    }
  }

  /**
   * Submits a file and returns the new job's id; the record is on its way, not yet acknowledged.
   *
   * @param contentType MIME type or null
   * @throws IOException if the file can't be read
   */
  public String submit(Path file, String contentType)
      throws IOException, CliException, InterruptedException {
    String id = JobIds.next();
    boolean inline = Files.size(file) <= limits.maxInlineBytes();
    AudioJob job =
        inline
            ? JobRecords.inline(id, file, contentType, options)
            : JobRecords.reference(id, file, contentType, options);
    try {
      byte[] value = serializer.serialize(target.jobsTopic(), job);
      producer.send(
          new ProducerRecord<>(target.jobsTopic(), id, value),
          (metadata, e) -> {
            if (e != null) {
              failure.compareAndSet(null, e);
            }
          });
    } catch (InterruptException e) {
      Thread.interrupted();
      throw new InterruptedException();
    } catch (KafkaException e) {
      throw KafkaFailures.explain(e, target, timeout);
    }
    return id;
  }

  /**
   * Returns once Kafka acknowledged all jobs.
   *
   * @throws CliException if it refused one
   */
  public void flush() throws CliException, InterruptedException {
    try {
      producer.flush();
    } catch (InterruptException e) {
      Thread.interrupted();
      throw new InterruptedException();
    }
    Exception refused = failure.get();
    if (refused != null) {
      throw KafkaFailures.explain(refused, target, timeout);
    }
  }

  @Override
  public void close() {
    producer.close(Duration.ZERO);
    serializer.close();
  }
}
