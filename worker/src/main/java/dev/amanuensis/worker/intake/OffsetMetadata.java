package dev.amanuensis.worker.intake;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;
import java.util.BitSet;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What is committed beside an offset, in Base64 behind a version prefix: which of the records after
 * it are done, as a bitmap, and the marks of those that are not.
 *
 * <p>Bytes: number of bytes of the bitmap as a varint, the bitmap, then for each mark the distance
 * to the one before as a varint and a byte with attempts * 4 + state.
 *
 * @param done bit i stands for the offset base + i
 * @param marks by distance from the base
 */
record OffsetMetadata(BitSet done, SortedMap<Integer, Mark> marks) {
  /** The broker's default limit, offset.metadata.max.bytes. */
  static final int MAX_CHARS = 4096;

  /** Marks that always fit beside a full bitmap. */
  static final int MAX_MARKS = 128;

  private static final String PREFIX = "a2:";
  private static final int MARK_BYTES = 4;

  /** Offsets that one bitmap can span. Three bytes are four characters. */
  static final int MAX_BITS =
      ((MAX_CHARS - PREFIX.length()) / 4 * 3 - 3 - MARK_BYTES * MAX_MARKS) * Byte.SIZE;

  static final OffsetMetadata EMPTY = new OffsetMetadata(new BitSet(), new TreeMap<>());

  String encode() {
    if (done.length() > MAX_BITS || marks.size() > MAX_MARKS) {
      throw new IllegalArgumentException(
          "%d bits and %d marks do not fit the metadata".formatted(done.length(), marks.size()));
    }
    if (done.isEmpty() && marks.isEmpty()) {
      return "";
    }
    byte[] bits = done.toByteArray();
    ByteBuffer out = ByteBuffer.allocate(MAX_CHARS);
    varint(out, bits.length);
    out.put(bits);
    int at = 0;
    for (var mark : marks.entrySet()) {
      varint(out, mark.getKey() - at);
      at = mark.getKey();
      Mark m = mark.getValue();
      out.put((byte) (m.attempts() << 2 | m.state().ordinal()));
    }
    byte[] all = Arrays.copyOf(out.array(), out.position());
    return PREFIX + Base64.getEncoder().withoutPadding().encodeToString(all);
  }

  /** The metadata of someone else, a tool for example, says nothing about what is done. */
  static boolean isOurs(String metadata) {
    return metadata != null && metadata.startsWith(PREFIX);
  }

  /** Empty if the metadata is not ours or damaged. */
  static OffsetMetadata decode(String metadata) {
    if (!isOurs(metadata)) {
      return EMPTY;
    }
    try {
      ByteBuffer in =
          ByteBuffer.wrap(Base64.getDecoder().decode(metadata.substring(PREFIX.length())));
      byte[] bits = new byte[Math.min(varint(in), in.remaining())];
      in.get(bits);
      SortedMap<Integer, Mark> marks = new TreeMap<>();
      int at = 0;
      while (in.hasRemaining()) {
        at += varint(in);
        int mark = in.get() & 0xff;
        marks.put(at, new Mark(Mark.State.values()[mark & 3], mark >> 2));
      }
      return new OffsetMetadata(BitSet.valueOf(bits), marks);
    } catch (IllegalArgumentException | java.nio.BufferUnderflowException e) {
      return EMPTY;
    }
  }

  private static void varint(ByteBuffer out, int value) {
    int v = value;
    while (v > 0x7f) {
      out.put((byte) (v & 0x7f | 0x80));
      v >>>= 7;
    }
    out.put((byte) v);
  }

  private static int varint(ByteBuffer in) {
    int value = 0;
    for (int shift = 0; shift < 28; shift += 7) {
      int b = in.get();
      value |= (b & 0x7f) << shift;
      if (b >= 0) {
        return value;
      }
    }
    throw new IllegalArgumentException("not a varint");
  }
}
