package dev.amanuensis.cli.format;

import java.util.Locale;

/** Times as subtitles write them (openai/whisper, whisper/utils.py, format_timestamp). */
final class Timestamps {
  private Timestamps() {}

  /** Rounded half to even, as Python's round() does. */
  static long milliseconds(double seconds) {
    return (long) Math.rint(seconds * 1000.0);
  }

  /** HH:MM:SS and three decimals; the hours are left out below one hour unless alwaysHours. */
  static String format(double seconds, boolean alwaysHours, char decimalMark) {
    long total = milliseconds(seconds);
    long hours = total / 3_600_000;
    String prefix = alwaysHours || hours > 0 ? String.format(Locale.ROOT, "%02d:", hours) : "";
    return String.format(
        Locale.ROOT,
        "%s%02d:%02d%c%03d",
        prefix,
        total / 60_000 % 60,
        total / 1000 % 60,
        decimalMark,
        total % 1000);
  }
}
