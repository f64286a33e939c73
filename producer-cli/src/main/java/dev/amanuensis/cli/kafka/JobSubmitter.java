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
  private final KafkaTarget target;
  private final JobOptions options;
  private final Urgency urgency;
  private final Placement placement;
  private final String topic;
  private final Duration timeout;
  private final KafkaProducer<String, byte[]> producer;
  private final Serializer<AudioJob> serializer;
  private final AtomicReference<Exception> failure = new AtomicReference<>();

  /** Nothing is wrong with the file, but it can't be submitted like this. */
  public static final class UnplaceableException extends IOException {
    private static final long serialVersionUID = 1L;

    UnplaceableException(String message) {
      super(message);
    }
  }

  /** Takes the placement's upload over. */
  public JobSubmitter(
      KafkaTarget target,
      JobOptions options,
      Urgency urgency,
      Placement placement,
      Duration timeout)
      throws CliException {
    this.target = target;
    this.options = options;
    this.urgency = urgency;
    this.placement = placement;
    this.topic = urgency.lane().topic(target.jobsTopic());
    this.timeout = timeout;
    Map<String, Object> configuration = target.producerConfiguration(timeout);
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
   * @param named what people know the file by
   * @param data its bytes; mostly the same path
   * @param contentType MIME type or null
   * @throws UnplaceableException if it is too large to travel inside the record, and in no other
   *     way either
   * @throws IOException if the file can't be read or uploaded
   */
  public String submit(Path named, Path data, String contentType)
      throws IOException, CliException, InterruptedException {
    String id = JobIds.next();
    AudioJob job = job(id, named, data, contentType);
    job.setPriority(urgency.priority());
    job.setDeadline(urgency.deadline());
    try {
      byte[] value = serializer.serialize(topic, job);
      producer.send(
          new ProducerRecord<>(topic, id, value),
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

  private AudioJob job(String id, Path named, Path data, String contentType) throws IOException {
    long bytes = Files.size(data);
    if (placement.inline(bytes)) {
      return JobRecords.inline(id, named, data, contentType, options);
    }
    Path real = data.toRealPath();
    if (placement.shared(real)) {
      return JobRecords.reference(id, named, data, real.toUri().toString(), contentType, options);
    }
    if (placement.upload() != null) {
      String uri = placement.upload().upload(id, data, contentType);
      return JobRecords.reference(id, named, data, uri, contentType, options);
    }
    throw new UnplaceableException(placement.explain(bytes));
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
    if (placement.upload() != null) {
      placement.upload().close();
    }
  }
}
