package dev.amanuensis.worker.intake;

import java.util.Base64;
import java.util.BitSet;

/**
 * What is committed beside an offset: which of the records after it are done, as a bitmap in Base64
 * behind a version prefix.
 */
final class OffsetMetadata {
  /** The broker's default limit, offset.metadata.max.bytes. */
  static final int MAX_CHARS = 4096;

  private static final String PREFIX = "a1:";

  /** Offsets that one bitmap can span: three bytes are four characters. */
  static final int MAX_BITS = (MAX_CHARS - PREFIX.length()) / 4 * 3 * Byte.SIZE;

  private OffsetMetadata() {}

  /** Bit i stands for the offset base + i. */
  static String encode(BitSet done) {
    if (done.length() > MAX_BITS) {
      throw new IllegalArgumentException(done.length() + " bits do not fit the metadata");
    }
    return done.isEmpty()
        ? ""
        : PREFIX + Base64.getEncoder().withoutPadding().encodeToString(done.toByteArray());
  }

  /** The metadata of someone else, a tool for example, says nothing about what is done. */
  static boolean isOurs(String metadata) {
    return metadata != null && metadata.startsWith(PREFIX);
  }

  /** Empty if the metadata is not ours or damaged. */
  static BitSet decode(String metadata) {
    if (!isOurs(metadata)) {
      return new BitSet();
    }
    try {
      return BitSet.valueOf(Base64.getDecoder().decode(metadata.substring(PREFIX.length())));
    } catch (IllegalArgumentException e) {
      return new BitSet();
    }
  }
}
