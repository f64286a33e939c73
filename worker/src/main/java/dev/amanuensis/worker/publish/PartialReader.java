package dev.amanuensis.worker.publish;

import dev.amanuensis.schema.Partial;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.worker.job.Progress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.utils.Utils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the last partial transcript of jobs that were begun elsewhere. What is asked for together
 * is read together, on a thread of its own. Thread-safe.
 */
final class PartialReader implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PartialReader.class);

  /** A job does not wait longer for what it could save. */
  private static final Duration LIMIT = Duration.ofSeconds(10);

  private static final Duration POLL = Duration.ofMillis(100);

  /** Clocks of producers and brokers differ. */
  private static final long SKEW_MILLIS = 60_000;

  private final PartialsConfig config;
  private final WorkerIdentity identity;
  private final Deserializer<Partial> deserializer;
  private final BlockingQueue<Request> requests = new LinkedBlockingQueue<>();
  private final Thread thread = new Thread(this::run, "partials-reader");
  private boolean started;

  private record Request(
      ConsumerRecord<?, ?> record, byte[] key, CompletableFuture<Progress> answer) {}

  PartialReader(PartialsConfig config, WorkerIdentity identity) {
    this.config = config;
    this.identity = identity;
    this.deserializer = AvroSerdes.deserializer(Partial.class, config.registry());
    thread.setDaemon(true);
  }

  Future<Progress> find(ConsumerRecord<?, ?> record, String jobId) {
    Request request =
        new Request(record, jobId.getBytes(StandardCharsets.UTF_8), new CompletableFuture<>());
    requests.add(request);
    synchronized (this) {
      if (!started) {
        thread.start();
        started = true;
      }
    }
    return request.answer();
  }

  private void run() {
    try {
      while (true) {
        List<Request> batch = new ArrayList<>(List.of(requests.take()));
        requests.drainTo(batch);
        try {
          read(batch);
        } catch (KafkaException e) {
          LOG.warn("partial transcripts can't be read: {}; jobs start over", e.toString());
        }
        batch.forEach(r -> r.answer().complete(null)); // those that were not found
      }
    } catch (InterruptedException e) {
      // closed
    } finally {
      requests.forEach(r -> r.answer().complete(null));
    }
  }

  private void read(List<Request> batch) {
    long until = System.nanoTime() + LIMIT.toNanos();
    try (Consumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            config.consumer(), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      int partitions = consumer.partitionsFor(config.topic(), LIMIT).size();
      if (partitions > 0) {
        Map<Request, byte[]> found = scan(consumer, batch, partitions, until);
        found.forEach((request, value) -> request.answer().complete(decode(request, value)));
      }
      consumer.close(CloseOptions.timeout(Duration.ZERO));
    }
  }

  /** The last value of each job; what has none is left out. */
  private Map<Request, byte[]> scan(
      Consumer<byte[], byte[]> consumer, List<Request> batch, int partitions, long until) {
    Map<TopicPartition, Long> from = new HashMap<>();
    for (Request r : batch) {
      int number = Utils.toPositive(Utils.murmur2(r.key())) % partitions; // as the producer's
      long since = Math.max(0, r.record().timestamp() - SKEW_MILLIS);
      from.merge(new TopicPartition(config.topic(), number), since, Math::min);
    }
    consumer.assign(from.keySet());
    Map<TopicPartition, Long> ends = consumer.endOffsets(from.keySet(), LIMIT);
    Map<TopicPartition, OffsetAndTimestamp> starts = consumer.offsetsForTimes(from, LIMIT);
    Set<TopicPartition> open = new HashSet<>();
    for (TopicPartition p : from.keySet()) {
      OffsetAndTimestamp start = starts.get(p);
      if (start == null || start.offset() >= ends.get(p)) {
        consumer.seek(p, ends.get(p));
        continue;
      }
      consumer.seek(p, start.offset());
      open.add(p);
    }
    Map<Request, byte[]> found = new HashMap<>();
    while (!open.isEmpty() && System.nanoTime() - until < 0) {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
        for (Request r : batch) {
          if (Arrays.equals(r.key(), record.key())) {
            found.put(r, record.value());
          }
        }
      }
      open.removeIf(p -> consumer.position(p) >= ends.get(p));
    }
    return found;
  }

  /** Null if it is of another record with the same id, or of other arithmetic. */
  private Progress decode(Request request, byte[] value) {
    if (value == null) {
      return null;
    }
    try {
      Partial p = deserializer.deserialize(config.topic(), value);
      ConsumerRecord<?, ?> job = request.record();
      boolean same =
          p.getTopic().equals(job.topic())
              && p.getPartition() == job.partition()
              && p.getOffset() == job.offset();
      return same && PartialCodec.fits(p, identity) ? PartialCodec.decode(p) : null;
    } catch (RuntimeException e) {
      LOG.warn("a partial transcript can't be read: {}", e.toString());
      return null;
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
