package dev.amanuensis.cli.command;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.format.JsonWriter;
import dev.amanuensis.cli.format.TranscriptDocument;
import dev.amanuensis.cli.format.TranscriptFormat;
import dev.amanuensis.cli.kafka.ConnectionCheck;
import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.cli.kafka.Outcome;
import dev.amanuensis.cli.kafka.PartialReader;
import dev.amanuensis.cli.kafka.TranscriptReader;
import dev.amanuensis.cli.terminal.Terminal;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Follows the topic of transcripts. */
@Command(
    name = "watch",
    description = "Follow the transcripts as workers publish them, until Ctrl-C.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  amanuensis watch",
      "  amanuensis watch --follow                    # segments of long jobs, as they become"
          + " final",
      "  amanuensis watch --from-beginning --format json | jq -r '.text // empty'",
      "  amanuensis watch -b kafka:9092 --schema-registry http://registry:8081 --max 10"
    })
public final class WatchCommand implements Callable<Integer> {
  private static final Duration POLL = Duration.ofMillis(500);
  private static final Duration SHORT_POLL = Duration.ofMillis(100);

  private final Terminal terminal;

  @Mixin private ConnectionOptions connection;

  @Option(
      names = {"-f", "--format"},
      paramLabel = "FORMAT",
      converter = FormatConverter.class,
      defaultValue = "txt",
      description =
          "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}, below a line that names"
              + " the job and the file. A line of json begins with job_id; one for a job without a"
              + " transcript has its status, error_code and error_message.")
  private TranscriptFormat format;

  @Option(names = "--from-beginning", description = "Also those that are there already.")
  private boolean fromBeginning;

  @Option(
      names = "--follow",
      description = "Also segments of long jobs as they become final, before the transcript.")
  private boolean follow;

  @Option(names = "--job", paramLabel = "ID", description = "Only this job; end with its result.")
  private String job;

  @Option(names = "--max", paramLabel = "N", description = "Stop after this many.")
  private Integer max;

  public WatchCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws CliException, InterruptedException {
    KafkaTarget target = connection.target();
    ConnectionCheck.run(target, List.of(target.transcriptsTopic()), connection.connectTimeout());
    try (TranscriptReader reader = new TranscriptReader(target, connection.connectTimeout());
        PartialReader partials =
            follow ? new PartialReader(target, connection.connectTimeout()) : null) {
      if (fromBeginning) {
        reader.seekToBeginning();
      } else {
        reader.seekToEnd();
      }
      if (terminal.errIsTerminal()) {
        terminal.err().println("following " + target.transcriptsTopic() + "; Ctrl-C ends this");
      }
      for (int seen = 0; max == null || seen < max; ) {
        if (partials != null) {
          partials.poll(SHORT_POLL).stream().filter(n -> wants(n.jobId())).forEach(this::print);
        }
        for (Outcome outcome : reader.poll(POLL)) {
          if (wants(outcome.jobId()) && (max == null || seen < max)) {
            print(outcome);
            seen++;
            if (job != null) {
              return ExitCodes.OK;
            }
          }
        }
      }
    }
    return ExitCodes.OK;
  }

  private boolean wants(String jobId) {
    return job == null || job.equals(jobId);
  }

  private void print(PartialReader.News news) {
    news.segments().forEach(s -> terminal.out().println(line(news, s)));
    terminal.out().flush();
  }

  private String line(PartialReader.News news, TranscriptDocument.Segment segment) {
    if (format == TranscriptFormat.JSON) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("job_id", news.jobId());
      fields.put("partial", true);
      fields.put("attempt", news.attempt());
      fields.put("done", news.doneSeconds());
      fields.put("duration", news.durationSeconds());
      fields.put("start", segment.start());
      fields.put("end", segment.end());
      fields.put("text", segment.text());
      return Json.line(fields);
    }
    return "-- %s  %3.0f%%  [%.2f --> %.2f] %s"
        .formatted(
            Terminal.plain(news.jobId()),
            100 * news.doneSeconds() / Math.max(0.01, news.durationSeconds()),
            segment.start(),
            segment.end(),
            Terminal.plain(segment.text().strip()));
  }

  private void print(Outcome outcome) throws CliException {
    if (!outcome.completed()) {
      terminal
          .err()
          .println(Terminal.plain(outcome.jobId()) + "\t" + Terminal.plain(outcome.failure()));
      if (format != TranscriptFormat.JSON) {
        return;
      }
    }
    terminal.out().append(text(outcome)).flush();
    if (terminal.out().checkError()) {
      throw new CliException(ExitCodes.FAILED, "can't write to stdout: it was closed");
    }
  }

  private CharSequence text(Outcome outcome) {
    StringBuilder text = new StringBuilder();
    try {
      if (!outcome.completed()) {
        text.append(Json.line(failure(outcome))).append('\n');
      } else if (format == TranscriptFormat.JSON) {
        new JsonWriter(outcome.jobId()).write(outcome.document(), text);
      } else {
        text.append("== ")
            .append(Terminal.plain(outcome.jobId()))
            .append("  ")
            .append(Terminal.plain(outcome.file()))
            .append('\n');
        format.write(outcome.document(), text);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("a StringBuilder does not fail", e);
    }
    return text;
  }

  private static Map<String, Object> failure(Outcome outcome) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("job_id", outcome.jobId());
    fields.put("file", outcome.file());
    fields.put("status", outcome.status());
    fields.put("error_code", outcome.errorCode());
    fields.put("error_message", outcome.errorMessage());
    return fields;
  }
}
