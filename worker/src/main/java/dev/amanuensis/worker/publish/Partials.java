package dev.amanuensis.worker.publish;

import dev.amanuensis.schema.Partial;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.worker.job.Progress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.Serializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes how far long jobs are, and finds what a predecessor published. Best effort: what can't
 * be sent is dropped, since the next one says more; nothing here holds a job up. Thread-safe.
 */
public final class Partials implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Partials.class);

  private final PartialsConfig config;
  private final WorkerIdentity identity;
  private final PartialReader reader;
  private final Serializer<Partial> serializer;
  private final Thread thread = new Thread(this::run, "partials");

  /** By job id; guarded by this. What is newer replaces what was not sent yet. */
  private final Map<String, Outgoing> jobs = new HashMap<>();

  private boolean closed;
  private Producer<byte[], byte[]> producer;

  /** How far a job is. The update is null once it is sent. */
  private static final class Outgoing {
    Partial update;
    long due;
    boolean ended;
  }

  public Partials(PartialsConfig config, WorkerIdentity identity) {
    this.config = config;
    this.identity = identity;
    this.reader = new PartialReader(config, identity);
    this.serializer = AvroSerdes.serializer(config.registry());
    thread.setDaemon(true);
  }

  /**
   * How far a job is.
   *
   * @param record the job's
   * @param attempt 1 for the first
   */
  public void publish(ConsumerRecord<?, ?> record, String jobId, int attempt, Progress progress) {
    Partial partial = PartialCodec.encode(record, jobId, attempt, progress, identity);
    synchronized (this) {
      if (closed) {
        return;
      }
      begin();
      Outgoing job = jobs.computeIfAbsent(jobId, id -> new Outgoing());
      if (!job.ended) {
        job.update = partial;
        notifyAll();
      }
    }
  }

  /** The job has its result: what was published of it is void. */
  public synchronized void ended(String jobId) {
    if (!closed) {
      begin();
      Outgoing job = jobs.computeIfAbsent(jobId, id -> new Outgoing());
      job.ended = true;
      job.update = null;
      job.due = System.nanoTime();
      notifyAll();
    }
  }

  /**
   * What a predecessor published last of a job.
   *
   * @param record the job's
   * @return null after a while if there is nothing, or nothing that this worker can continue
   */
  public Future<Progress> find(ConsumerRecord<?, ?> record, String jobId) {
    return reader.find(record, jobId);
  }

  private void begin() {
    if (thread.getState() == Thread.State.NEW) {
      thread.start();
    }
  }

  private void run() {
    try {
      while (true) {
        Map<String, Partial> batch = next();
        for (Map.Entry<String, Partial> e : batch.entrySet()) {
          send(e.getKey(), e.getValue());
        }
      }
    } catch (InterruptedException e) {
      // closed
    }
  }

  /** Waits for something to send. Null stands for a job that has ended. */
  private synchronized Map<String, Partial> next() throws InterruptedException {
    Map<String, Partial> batch = new HashMap<>();
    while (true) {
      long now = System.nanoTime();
      long wait = Duration.ofMinutes(1).toNanos();
      for (Iterator<Map.Entry<String, Outgoing>> i = jobs.entrySet().iterator(); i.hasNext(); ) {
        Map.Entry<String, Outgoing> e = i.next();
        Outgoing job = e.getValue();
        if (job.ended) {
          batch.put(e.getKey(), null);
          i.remove();
        } else if (job.update != null && job.due - now <= 0) {
          batch.put(e.getKey(), job.update);
          job.update = null;
          job.due = now + config.interval().toNanos();
        } else if (job.update != null) {
          wait = Math.min(wait, job.due - now);
        }
      }
      if (!batch.isEmpty()) {
        return batch;
      }
      wait(Math.max(1, wait / 1_000_000));
    }
  }

  private void send(String jobId, Partial partial) {
    try {
      if (producer == null) {
        producer = new KafkaProducer<>(config.producer());
      }
      byte[] value = partial == null ? null : serializer.serialize(config.topic(), partial);
      producer.send(
          new ProducerRecord<>(config.topic(), jobId.getBytes(StandardCharsets.UTF_8), value),
          (metadata, e) -> {
            if (e != null) {
              LOG.debug("partial transcript of {} is not published: {}", jobId, e.toString());
            }
          });
    } catch (KafkaException e) {
      LOG.debug("partial transcript of {} is not published: {}", jobId, e.toString());
    }
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    reader.close();
    thread.interrupt();
    try {
      thread.join(5_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (producer != null) {
      producer.close(Duration.ofSeconds(1));
    }
    serializer.close();
  }
}
