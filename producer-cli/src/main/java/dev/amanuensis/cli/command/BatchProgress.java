package dev.amanuensis.cli.command;

import dev.amanuensis.cli.terminal.StatusLine;
import java.time.Duration;
import java.util.Locale;

/** How far a batch of files is, how fast it goes, and when it will be done. */
final class BatchProgress {
  private final long begun = System.nanoTime();
  private int files;
  private int done;
  private int failed;
  private long bytes;
  private long bytesDone;
  private double audioSeconds;

  void submitted(long size) {
    files++;
    bytes += size;
  }

  /**
   * @param seconds of audio
   */
  void answered(long size, boolean completed, double seconds) {
    if (completed) {
      done++;
      audioSeconds += seconds;
    } else {
      failed++;
    }
    bytesDone += size;
  }

  /** For a line on a terminal. */
  String line() {
    return line(Duration.ofNanos(System.nanoTime() - begun));
  }

  String line(Duration elapsed) {
    int answered = done + failed;
    StringBuilder text = new StringBuilder(StatusLine.bar(answered, files));
    text.append("  ").append(answered).append('/').append(files).append(" files");
    if (failed > 0) {
      text.append(", ").append(failed).append(" failed");
    }
    if (done > 0) {
      text.append(String.format(Locale.ROOT, "  %.1fx", speed(elapsed)));
    }
    if (answered > 0 && answered < files && bytesDone > 0) {
      // By size: the length of what is still to be done is not known.
      double left = elapsed.toMillis() / 1e3 * (bytes - bytesDone) / bytesDone;
      text.append("  ETA ").append(text(Duration.ofSeconds(Math.round(left))));
    }
    return text.toString();
  }

  /** For the end: what was done, what failed, how much audio in how much time. */
  String summary() {
    return summary(Duration.ofNanos(System.nanoTime() - begun));
  }

  String summary(Duration elapsed) {
    return String.format(
        Locale.ROOT,
        "%d of %d files done, %d failed; %s of audio in %s (%.1f x realtime)",
        done,
        files,
        files - done,
        text(Duration.ofMillis(Math.round(audioSeconds * 1e3))),
        text(elapsed),
        speed(elapsed));
  }

  private double speed(Duration elapsed) {
    return elapsed.isZero() ? 0 : audioSeconds * 1e3 / Math.max(1, elapsed.toMillis());
  }

  static String text(Duration d) {
    if (d.toHours() > 0) {
      return d.toHours() + " h " + d.toMinutesPart() + " min";
    }
    if (d.toMinutes() > 0) {
      return d.toMinutes() + " min " + d.toSecondsPart() + " s";
    }
    return d.toSeconds() >= 10
        ? d.toSeconds() + " s"
        : String.format(Locale.ROOT, "%.1f s", d.toMillis() / 1e3);
  }
}
