package dev.amanuensis.cli.command;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.kafka.JobSubmitter;
import dev.amanuensis.cli.kafka.Outcome;
import dev.amanuensis.cli.kafka.TranscriptReader;
import dev.amanuensis.cli.terminal.StatusLine;
import dev.amanuensis.cli.terminal.Terminal;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Files on their way through Kafka: submitted once, awaited, and handed out in the order in which
 * they were named. One thread uses it.
 */
final class JobBatch {
  private static final Duration POLL = Duration.ofMillis(200);

  private final Terminal terminal;
  private final StatusLine status;
  private final PlacementAdvice advice;
  private final Map<String, Path> fileByJob = new LinkedHashMap<>();
  private final Map<String, Outcome> arrived = new HashMap<>();
  private final Map<String, Long> bytesByJob = new HashMap<>();
  private final BatchProgress progress = new BatchProgress();
  private int failed;
  private int invalid;

  /** Told of each submitted file. */
  interface Submitted {
    void accept(String jobId, Path file);
  }

  /** Says why waiting is pointless, by throwing, and what is still starting, or null. */
  interface Progress {
    String check() throws CliException;
  }

  /**
   * @param directory whose files are submitted, or null
   */
  JobBatch(Terminal terminal, StatusLine status, Path directory) {
    this.terminal = terminal;
    this.status = status;
    this.advice = new PlacementAdvice(directory);
  }

  /**
   * The files that can be read; the others are reported and count as failed.
   *
   * @param spool keeps what can be read only once
   */
  List<Input> readable(List<Path> files, Spool spool) {
    List<Input> readable = new ArrayList<>();
    for (Path file : files) {
      try {
        readable.add(spool.input(file));
      } catch (NoSuchFileException e) {
        fail(file + ": no such file");
      } catch (AccessDeniedException e) {
        fail(file + ": not readable; check its permissions");
      } catch (IOException e) {
        fail(file + ": can't be read: " + e.getMessage());
      }
    }
    return readable;
  }

  /** Submits each file; one that vanishes meanwhile is reported and counts as failed. */
  void submit(List<Input> inputs, JobSubmitter submitter, Submitted submitted)
      throws CliException, InterruptedException {
    for (Input input : inputs) {
      Path file = input.named();
      try {
        String id = submitter.submit(file, input.data(), AudioFiles.contentType(file));
        fileByJob.put(id, file);
        bytesByJob.put(id, Files.size(input.data()));
        progress.submitted(bytesByJob.get(id));
        submitted.accept(id, file);
      } catch (NoSuchFileException e) {
        fail(file + ": no such file");
      } catch (JobSubmitter.UnplaceableException e) {
        fail(file + ": " + e.getMessage());
        advice.tooLarge(input);
      } catch (IOException e) {
        fail(file + ": can't be submitted: " + e.getMessage());
      }
    }
    if (advice.text() != null) {
      warn(advice.text());
    }
    submitter.flush();
  }

  /**
   * Waits until every submitted file has its result and hands transcripts to the sink.
   *
   * @param timeout or null to wait for ever
   * @throws CliException TIMEOUT; or what the sink or the start throws
   */
  void await(TranscriptReader reader, OutputSink sink, Duration timeout, Progress start)
      throws CliException, InterruptedException {
    List<String> waiting = new ArrayList<>(fileByJob.keySet());
    long begun = System.nanoTime();
    status.show("");
    while (!waiting.isEmpty()) {
      String starting = start.check();
      status.change(starting == null ? inProgress() : starting);
      for (Outcome outcome : reader.poll(POLL)) {
        if (fileByJob.containsKey(outcome.jobId())
            && arrived.putIfAbsent(outcome.jobId(), outcome) == null) {
          progress.answered(
              bytesByJob.get(outcome.jobId()), outcome.completed(), outcome.document().duration());
        }
      }
      while (!waiting.isEmpty() && arrived.containsKey(waiting.get(0))) {
        String id = waiting.remove(0);
        handOut(fileByJob.get(id), arrived.get(id), sink);
      }
      if (timeout != null && System.nanoTime() - begun > timeout.toNanos() && !waiting.isEmpty()) {
        throw new CliException(
            ExitCodes.TIMEOUT,
            "no result for "
                + waiting.stream().filter(id -> !arrived.containsKey(id)).count()
                + " of "
                + fileByJob.size()
                + " files within --timeout "
                + timeout.toSeconds()
                + " s; the jobs go on: is a worker running, and is it busy?");
      }
    }
    status.hide();
  }

  /** The exit code for what happened to the files. */
  int exitCode() {
    if (failed == 0) {
      return ExitCodes.OK;
    }
    return failed == invalid ? ExitCodes.USAGE : ExitCodes.FAILED;
  }

  /** What was done, what failed and how fast; null for a single file, which speaks for itself. */
  String summary() {
    return fileByJob.size() > 1 ? progress.summary() : null;
  }

  private String inProgress() {
    return fileByJob.size() == 1
        ? "transcribing " + fileByJob.values().iterator().next().getFileName()
        : progress.line();
  }

  private void handOut(Path file, Outcome outcome, OutputSink sink) throws CliException {
    if (outcome.completed()) {
      try {
        sink.accept(file, outcome.document());
      } catch (IOException e) {
        fail(file + ": " + e.getMessage());
      }
      if (outcome.errorMessage() != null) {
        warn(Terminal.plain(outcome.file() + ": warning: " + outcome.errorMessage()));
      }
    } else {
      invalid += outcome.invalidOption() ? 1 : 0;
      fail(Terminal.plain(outcome.failure()));
    }
  }

  private void fail(String message) {
    failed++;
    warn(message);
  }

  private void warn(String message) {
    status.above(() -> terminal.err().println(message));
  }
}
