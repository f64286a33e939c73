package dev.amanuensis.cli.command;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.kafka.Lane;
import dev.amanuensis.cli.kafka.Urgency;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** When jobs are to be done. */
public final class UrgencyOptions {
  @Option(
      names = "--lane",
      paramLabel = "LANE",
      defaultValue = "normal",
      description = "${COMPLETION-CANDIDATES}; no lane starves another. Default: ${DEFAULT-VALUE}.")
  Lane lane;

  @Option(
      names = "--priority",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Larger is more urgent among the jobs that a worker has taken. Default:"
              + " ${DEFAULT-VALUE}.")
  int priority;

  @Option(
      names = "--deadline",
      paramLabel = "TIME",
      description =
          "After it nobody wants the transcript: a time from now (90s, 10m, 2h) or a moment"
              + " (2026-12-01T12:00:00Z). Default: none.")
  String deadline;

  Urgency urgency() throws CliException {
    return new Urgency(lane, priority, deadline == null ? null : moment(deadline));
  }

  private static Instant moment(String text) throws CliException {
    Instant now = Instant.now().truncatedTo(ChronoUnit.MILLIS);
    try {
      return now.plus(new DurationConverter().convert(text));
    } catch (TypeConversionException e) {
      try {
        return Instant.parse(text);
      } catch (DateTimeException notEither) {
        throw new CliException(
            ExitCodes.USAGE,
            "--deadline: '"
                + text
                + "' is neither a length of time (10m) nor a moment (2026-12-01T12:00:00Z)",
            notEither);
      }
    }
  }
}
