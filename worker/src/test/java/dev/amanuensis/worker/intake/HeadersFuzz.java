package dev.amanuensis.worker.intake;

import dev.amanuensis.schema.DeadLetter;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.worker.publish.ResultEncoder;
import dev.amanuensis.worker.publish.WorkerIdentity;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * Fuzz target: whatever a record's headers are, they give a trace id or none, and a dead letter
 * carries them within its size.
 */
public final class HeadersFuzz {
  private static final String DLQ = "audio-jobs.dlq";
  private static final int MAX_BYTES = 64 << 10;
  private static final int NULL_VALUE = 255;
  private static final byte[] VALUE = {1, 2, 3};
  private static final Map<String, Object> REGISTRY =
      Map.of(AvroSerdes.REGISTRY_URL, "mock://headers-fuzz");
  private static final ResultEncoder ENCODER =
      new ResultEncoder(
          new WorkerIdentity("w", "none", "", "none", "none"),
          "transcripts",
          DLQ,
          MAX_BYTES,
          REGISTRY);
  private static final Deserializer<DeadLetter> READER =
      AvroSerdes.deserializer(DeadLetter.class, REGISTRY);

  private HeadersFuzz() {}

  /** Loads what the first record needs, which takes longer than any input may. */
  public static void fuzzerInitialize() {
    fuzzerTestOneInput(new byte[] {1, 'k', 1, 'v'});
  }

  /**
   * Headers one after the other: length of the key, key, length of the value (255: null), value.
   */
  public static void fuzzerTestOneInput(byte[] data) {
    RecordHeaders headers = new RecordHeaders();
    Map<String, byte[]> last = new HashMap<>();
    for (ByteBuffer in = ByteBuffer.wrap(data); in.hasRemaining(); ) {
      ByteBuffer key = ByteBuffer.wrap(take(in, in.get() & 0xff));
      int size = in.hasRemaining() ? in.get() & 0xff : 0;
      byte[] value = size == NULL_VALUE ? null : take(in, size);
      Header header = new RecordHeader(key, value == null ? null : ByteBuffer.wrap(value));
      headers.add(header);
      last.put(header.key(), value == null ? new byte[0] : value);
    }
    String trace = TraceParent.traceId(headers);
    check(trace == null || trace.matches("[0-9a-f]{32}"), "trace id " + trace);
    ConsumerRecord<byte[], byte[]> record =
        new ConsumerRecord<>(
            JobRecordFuzz.TOPIC,
            0,
            7,
            1,
            TimestampType.CREATE_TIME,
            0,
            VALUE.length,
            new byte[] {'k'},
            VALUE,
            headers,
            Optional.empty());
    ProducerRecord<byte[], byte[]> letter =
        ENCODER.undecodable(record, new SerializationException("a test")).records().get(0);
    check(letter.value().length <= MAX_BYTES, "a letter of " + letter.value().length);
    DeadLetter read = READER.deserialize(DLQ, letter.value());
    check(read.getValue().equals(ByteBuffer.wrap(VALUE)), "the value is not the record's");
    if (data.length < MAX_BYTES / 64) { // all of it fits, whatever it is
      Map<String, ByteBuffer> expected = new HashMap<>();
      last.forEach((key, value) -> expected.put(key, ByteBuffer.wrap(value)));
      check(read.getHeaders().equals(expected), "headers " + read.getHeaders());
    }
  }

  private static byte[] take(ByteBuffer in, int most) {
    byte[] bytes = new byte[Math.min(most, in.remaining())];
    in.get(bytes);
    return bytes;
  }

  private static void check(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalStateException(otherwise);
    }
  }
}
