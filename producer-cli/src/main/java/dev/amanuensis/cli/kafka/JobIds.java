package dev.amanuensis.cli.kafka;

import java.security.SecureRandom;
import java.util.UUID;

/** Ids for jobs: UUID version 7 (RFC 9562), so that they sort by time. */
public final class JobIds {
  private static final SecureRandom RANDOM = new SecureRandom();

  private JobIds() {}

  public static String next() {
    return of(System.currentTimeMillis(), RANDOM.nextLong(), RANDOM.nextLong()).toString();
  }

  static UUID of(long epochMillis, long randomA, long randomB) {
    long high = (epochMillis << 16) | 0x7000L | (randomA & 0x0fffL);
    long low = 0x8000_0000_0000_0000L | (randomB & 0x3fff_ffff_ffff_ffffL);
    return new UUID(high, low);
  }
}
