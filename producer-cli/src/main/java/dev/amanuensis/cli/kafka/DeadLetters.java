package dev.amanuensis.cli.kafka;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.schema.DeadLetter;
import dev.amanuensis.schema.serde.AvroSerdes;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * The topic of dead letters. A replay puts the original record back where it came from and, in the
 * same transaction, a mark into this topic (a record without a value), so that none is replayed
 * twice by mistake.
 */
public final class DeadLetters {
  /** Header of a mark: which dead letter was replayed. */
  static final String REPLAYED = "amanuensis.replayed";

  /** Header of a replayed job: which dead letter it comes from. */
  static final String REPLAY_OF = "amanuensis.replay.of";

  private static final int TRANSACTION_TIMEOUT_MS = 10_000;

  private final KafkaTarget target;
  private final String topic;
  private final Duration timeout;

  public DeadLetters(KafkaTarget target, String topic, Duration timeout) {
    this.target = target;
    this.topic = topic;
    this.timeout = timeout;
  }

  /** All that are there, the oldest first of each partition. */
  public List<DeadJob> list() throws CliException, InterruptedException {
    List<DeadJob> letters = new ArrayList<>();
    Map<String, Boolean> replayed = new HashMap<>();
    try (Deserializer<DeadLetter> reader =
            AvroSerdes.deserializer(DeadLetter.class, target.commonConfiguration());
        TopicScan scan = new TopicScan(target, timeout)) {
      scan.visit(
          List.of(topic),
          null,
          record -> {
            Header mark = record.headers().lastHeader(REPLAYED);
            if (mark != null) {
              replayed.put(new String(mark.value(), StandardCharsets.UTF_8), true);
            } else if (record.value() != null) {
              try {
                DeadLetter letter = reader.deserialize(topic, record.value());
                letters.add(new DeadJob(record.partition(), record.offset(), letter, false));
              } catch (KafkaException e) {
                if (KafkaFailures.registryUnreachable(e)) {
                  throw e;
                }
                letters.add(DeadJob.unreadable(record, e));
              }
            }
          });
    }
    return letters.stream().map(l -> l.replayed(replayed.containsKey(l.place()))).toList();
  }

  /**
   * Puts the original records back, each with its mark in one transaction.
   *
   * @throws CliException if one of them is not whole; nothing is sent then
   */
  public void replay(List<DeadJob> letters) throws CliException, InterruptedException {
    requireReplayable(letters);
    Map<String, Object> c = target.producerConfiguration(timeout);
    c.put("transaction.timeout.ms", TRANSACTION_TIMEOUT_MS);
    c.put("transactional.id", "amanuensis-dlq-" + UUID.randomUUID());
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(c, new ByteArraySerializer(), new ByteArraySerializer())) {
      producer.initTransactions();
      for (DeadJob letter : letters) {
        producer.beginTransaction();
        try {
          producer.send(original(letter));
          producer.send(mark(letter));
          producer.commitTransaction();
        } catch (KafkaException e) {
          producer.abortTransaction();
          throw e;
        }
      }
    } catch (InterruptException e) {
      Thread.interrupted();
      throw new InterruptedException();
    } catch (KafkaException e) {
      throw KafkaFailures.explain(e, target, timeout);
    }
  }

  /**
   * @throws CliException naming the first of them that can't be replayed, and why
   */
  public static void requireReplayable(List<DeadJob> letters) throws CliException {
    for (DeadJob letter : letters) {
      if (letter.obstacle() != null) {
        throw new CliException(
            ExitCodes.FAILED, letter.place() + " can't be replayed: " + letter.obstacle());
      }
    }
  }

  private ProducerRecord<byte[], byte[]> original(DeadJob letter) {
    DeadLetter l = letter.letter();
    ProducerRecord<byte[], byte[]> record =
        new ProducerRecord<>(l.getTopic(), bytes(l.getKey()), bytes(l.getValue()));
    l.getHeaders().forEach((name, value) -> record.headers().add(name, bytes(value)));
    record.headers().add(REPLAY_OF, utf8(topic + "-" + letter.place()));
    return record;
  }

  private ProducerRecord<byte[], byte[]> mark(DeadJob letter) {
    DeadLetter l = letter.letter();
    byte[] key = l.getJobId() == null ? bytes(l.getKey()) : utf8(l.getJobId());
    ProducerRecord<byte[], byte[]> record =
        new ProducerRecord<>(topic, letter.partition(), key, null);
    record.headers().add(REPLAYED, utf8(letter.place()));
    return record;
  }

  /** What a purge would delete, or did: the number of offsets by partition. */
  public Map<Integer, Long> purge(Instant before, boolean dryRun)
      throws CliException, InterruptedException {
    try (Admin admin = Clients.admin(target, timeout)) {
      List<TopicPartition> partitions =
          admin
              .describeTopics(List.of(topic))
              .allTopicNames()
              .get()
              .get(topic)
              .partitions()
              .stream()
              .map(p -> new TopicPartition(topic, p.partition()))
              .toList();
      Map<TopicPartition, Long> from = offsets(admin, partitions, OffsetSpec.earliest());
      Map<TopicPartition, Long> ends = offsets(admin, partitions, OffsetSpec.latest());
      Map<TopicPartition, Long> upTo =
          before == null
              ? ends
              : offsets(admin, partitions, OffsetSpec.forTimestamp(before.toEpochMilli()));
      Map<TopicPartition, RecordsToDelete> orders = new HashMap<>();
      Map<Integer, Long> counts = new HashMap<>();
      for (TopicPartition p : partitions) {
        // -1: all of it is older.
        long end = upTo.get(p) < 0 ? ends.get(p) : upTo.get(p);
        counts.put(p.partition(), Math.max(0, end - from.get(p)));
        orders.put(p, RecordsToDelete.beforeOffset(end));
      }
      if (!dryRun) {
        admin.deleteRecords(orders).all().get();
      }
      return counts;
    } catch (ExecutionException e) {
      throw KafkaFailures.explain(e.getCause(), target, timeout);
    } catch (KafkaException e) {
      throw KafkaFailures.explain(e, target, timeout);
    }
  }

  private static Map<TopicPartition, Long> offsets(
      Admin admin, List<TopicPartition> partitions, OffsetSpec spec)
      throws ExecutionException, InterruptedException {
    Map<TopicPartition, OffsetSpec> wanted = new HashMap<>();
    partitions.forEach(p -> wanted.put(p, spec));
    Map<TopicPartition, Long> offsets = new HashMap<>();
    for (Map.Entry<TopicPartition, ListOffsetsResultInfo> e :
        admin.listOffsets(wanted).all().get().entrySet()) {
      offsets.put(e.getKey(), e.getValue().offset());
    }
    return offsets;
  }

  static byte[] bytes(ByteBuffer buffer) {
    if (buffer == null) {
      return null;
    }
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return bytes;
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
