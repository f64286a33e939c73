package dev.amanuensis.cli.kafka;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.schema.Action;
import dev.amanuensis.schema.JobControl;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.schema.topic.Topics;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.serialization.Serializer;

/** Orders the fleet to end jobs. */
public final class Cancellations implements AutoCloseable {
  private final KafkaTarget target;
  private final Duration timeout;
  private final Producer<String, byte[]> producer;
  private final Serializer<JobControl> serializer;

  public Cancellations(KafkaTarget target, Duration timeout) throws CliException {
    this.target = target;
    this.timeout = timeout;
    this.serializer = AvroSerdes.serializer(target.commonConfiguration());
    this.producer = Clients.producer(target, timeout);
  }

  /**
   * Returns once Kafka acknowledged the order.
   *
   * @param reason for people, or null
   * @param validFor after which the order is void
   */
  public void cancel(List<String> ids, String reason, Duration validFor)
      throws CliException, InterruptedException {
    Instant now = Instant.now().truncatedTo(ChronoUnit.MILLIS);
    try {
      for (String id : ids) {
        JobControl control = new JobControl();
        control.setJobId(id);
        control.setAction(Action.CANCEL);
        control.setReason(reason);
        control.setRequestedAt(now);
        control.setExpiresAt(now.plus(validFor));
        byte[] value = serializer.serialize(Topics.CONTROL, control);
        producer.send(new ProducerRecord<>(Topics.CONTROL, id, value)).get();
      }
    } catch (ExecutionException e) {
      throw KafkaFailures.explain(e.getCause(), target, timeout);
    } catch (InterruptException e) {
      Thread.interrupted();
      throw new InterruptedException();
    } catch (KafkaException e) {
      throw KafkaFailures.explain(e, target, timeout);
    }
  }

  @Override
  public void close() {
    producer.close(Duration.ZERO);
    serializer.close();
  }
}
