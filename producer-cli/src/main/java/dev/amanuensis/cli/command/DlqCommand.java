package dev.amanuensis.cli.command;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.kafka.ConnectionCheck;
import dev.amanuensis.cli.kafka.DeadJob;
import dev.amanuensis.cli.kafka.DeadLetters;
import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.cli.kafka.ReplayChoice;
import dev.amanuensis.cli.terminal.Terminal;
import dev.amanuensis.schema.topic.Topics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The dead letters. */
@Command(
    name = "dlq",
    description = {
      "Look at dead letters, put their jobs back, or delete them.",
      "Each is named by PARTITION:OFFSET, as list prints it, or by its job's id."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  amanuensis dlq list",
      "  amanuensis dlq show 0:17",
      "  amanuensis dlq replay --reason SOURCE_UNAVAILABLE",
      "  amanuensis dlq purge --older-than 30d --yes"
    })
public final class DlqCommand implements Runnable {
  private static final int NAME_WIDTH = 17;
  private static final int MESSAGE_WIDTH = 70;

  private final Terminal terminal;

  @Spec private CommandSpec spec;

  public DlqCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "say which: list, show, replay or purge");
  }

  /** Where the dead letters are. */
  static final class Place {
    @Mixin ConnectionOptions connection;

    @Option(
        names = "--dlq-topic",
        paramLabel = "TOPIC",
        defaultValue = Topics.DLQ,
        description = "Topic of the dead letters. Default: ${DEFAULT-VALUE}.")
    String topic;

    DeadLetters open() throws CliException, InterruptedException {
      KafkaTarget target = connection.target();
      ConnectionCheck.run(target, List.of(topic), connection.connectTimeout());
      return new DeadLetters(target, topic, connection.connectTimeout());
    }
  }

  @Command(
      name = "list",
      description = "List the dead letters, one a line, the oldest first.",
      footerHeading = "%nExamples:%n",
      footer = {
        "  amanuensis dlq list --reason UNDECODABLE",
        "  amanuensis dlq list --format json | jq -r .job_id"
      })
  int list(
      @Mixin Place place,
      @Option(names = "--reason", paramLabel = "CODE", description = "Only those with this code.")
          String reason,
      @Option(
              names = {"-f", "--format"},
              paramLabel = "FORMAT",
              defaultValue = "txt",
              description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
          ListFormat format)
      throws CliException, InterruptedException {
    for (DeadJob letter : place.open().list()) {
      if (reason == null || reason.equalsIgnoreCase(letter.letter().getReason())) {
        terminal
            .out()
            .println(
                format == ListFormat.JSON
                    ? Json.line(letter.fields())
                    : Terminal.plain(row(letter)));
      }
    }
    terminal.out().flush();
    return ExitCodes.OK;
  }

  /** A stack trace has lines; none of them may look like one of ours. */
  private static String shown(Object value) {
    return String.valueOf(value)
        .lines()
        .map(Terminal::plain)
        .collect(Collectors.joining("\n" + " ".repeat(NAME_WIDTH + 1)));
  }

  private static String id(DeadJob letter) {
    String id = letter.letter().getJobId();
    return id == null ? "-" : Terminal.plain(id);
  }

  private static String row(DeadJob letter) {
    Map<String, Object> f = letter.fields();
    String message = String.valueOf(f.get("message")).replaceAll("\\s+", " ");
    return String.format(
        Locale.ROOT,
        "%-8s %s  %-36s %-20s %d attempt%s%s  %s",
        letter.place(),
        f.get("failed_at"),
        id(letter),
        f.get("reason"),
        letter.letter().getAttempts(),
        letter.letter().getAttempts() == 1 ? "" : "s",
        letter.isReplayed() ? ", replayed" : "",
        message.length() > MESSAGE_WIDTH ? message.substring(0, MESSAGE_WIDTH) + "..." : message);
  }

  @Command(
      name = "show",
      description = "Show all that is known of a dead letter.",
      footerHeading = "%nExamples:%n",
      footer = {
        "  amanuensis dlq show 0:17",
        "  amanuensis dlq show 0:17 --value record.bin",
        "",
        "Exit codes: 0 shown, 1 there is none of that name."
      })
  int show(
      @Mixin Place place,
      @Parameters(paramLabel = "NAME", description = "PARTITION:OFFSET or a job's id.") String name,
      @Option(
              names = "--value",
              paramLabel = "FILE",
              description = "Write the original record's bytes to this file.")
          Path file,
      @Option(
              names = {"-f", "--format"},
              paramLabel = "FORMAT",
              defaultValue = "txt",
              description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
          ListFormat format)
      throws CliException, InterruptedException {
    List<DeadJob> found = named(place.open().list(), name);
    for (DeadJob letter : found) {
      if (format == ListFormat.JSON) {
        terminal.out().println(Json.line(letter.fields()));
      } else {
        letter
            .fields()
            .forEach(
                (key, v) -> terminal.out().printf("%-" + NAME_WIDTH + "s %s%n", key, shown(v)));
      }
    }
    terminal.out().flush();
    if (file != null) {
      writeValue(found.get(found.size() - 1), file);
    }
    return ExitCodes.OK;
  }

  private static void writeValue(DeadJob letter, Path file) throws CliException {
    byte[] value = letter.value();
    try {
      Files.write(file, value == null ? new byte[0] : value);
    } catch (IOException e) {
      throw new CliException(ExitCodes.FAILED, "can't write " + file + ": " + e, e);
    }
  }

  @Command(
      name = "replay",
      description = {
        "Put the jobs of dead letters back into the topic they came from, byte for byte, each once:"
            + " what was replayed is marked in the same transaction and left out later.",
        "Say which: names, or --reason, or --all. Of a job with several, the newest is replayed; name"
            + " places to have others."
      },
      footerHeading = "%nExamples:%n",
      footer = {
        "  amanuensis dlq replay 0:17 0:18",
        "  amanuensis dlq replay --reason SOURCE_UNAVAILABLE --dry-run",
        "  amanuensis dlq replay --all",
        "",
        "Exit codes: 0 replayed (or nothing to do), 1 a name is unknown or a record is not whole."
      })
  int replay(
      @Mixin Place place,
      @Parameters(
              paramLabel = "NAME",
              arity = "0..*",
              description = "PARTITION:OFFSET or a job's id.")
          List<String> names,
      @Option(names = "--reason", paramLabel = "CODE", description = "All with this code.")
          String reason,
      @Option(names = "--all", description = "All.") boolean all,
      @Option(names = "--again", description = "Also those that were replayed before.")
          boolean again,
      @Option(names = "--dry-run", description = "Only say what would be done.") boolean dryRun)
      throws CliException, InterruptedException {
    boolean anyNames = names != null && !names.isEmpty();
    if ((anyNames ? 1 : 0) + (reason != null ? 1 : 0) + (all ? 1 : 0) != 1) {
      throw new CliException(ExitCodes.USAGE, "say which: names, or --reason CODE, or --all");
    }
    DeadLetters letters = place.open();
    ReplayChoice choice = choose(letters, anyNames ? names : List.of(), reason, all, again);
    if (anyNames) {
      DeadLetters.requireReplayable(choice.cut());
    }
    if (!dryRun) {
      letters.replay(choice.due());
    }
    for (DeadJob letter : choice.due()) {
      terminal.out().println(letter.place() + "\t" + id(letter));
    }
    terminal.out().flush();
    terminal.err().println(summary(choice, dryRun));
    return choice.cut().isEmpty() ? ExitCodes.OK : ExitCodes.FAILED;
  }

  private static ReplayChoice choose(
      DeadLetters letters, List<String> names, String reason, boolean all, boolean again)
      throws CliException, InterruptedException {
    List<DeadJob> there = letters.list();
    List<DeadJob> places = new ArrayList<>();
    List<DeadJob> others = new ArrayList<>();
    for (String name : names) {
      for (DeadJob letter : named(there, name)) {
        (name.equals(letter.place()) ? places : others).add(letter);
      }
    }
    if (names.isEmpty()) {
      there.stream()
          .filter(l -> all || reason.equalsIgnoreCase(l.letter().getReason()))
          .forEach(others::add);
    }
    return ReplayChoice.of(places, others, again);
  }

  private static String summary(ReplayChoice choice, boolean dryRun) {
    StringBuilder text = new StringBuilder(dryRun ? "would replay " : "replayed ");
    text.append(choice.due().size());
    if (!choice.replayed().isEmpty()) {
      text.append("; %d were replayed before (--again)".formatted(choice.replayed().size()));
    }
    if (!choice.older().isEmpty()) {
      text.append(
          "; left out %s, older than another of the same job (name them to replay them)"
              .formatted(places(choice.older())));
    }
    choice.cut().stream()
        .collect(Collectors.groupingBy(DeadJob::obstacle, TreeMap::new, Collectors.toList()))
        .forEach(
            (obstacle, letters) ->
                text.append("; can't replay %s: %s".formatted(places(letters), obstacle)));
    return text.toString();
  }

  private static String places(List<DeadJob> letters) {
    return letters.stream().map(DeadJob::place).collect(Collectors.joining(", "));
  }

  private static List<DeadJob> named(List<DeadJob> letters, String name) throws CliException {
    List<DeadJob> found = letters.stream().filter(l -> l.isNamed(name)).toList();
    if (found.isEmpty()) {
      throw new CliException(ExitCodes.FAILED, "there is no dead letter " + name);
    }
    return found;
  }

  @Command(
      name = "purge",
      description = "Delete dead letters for good: all, or those that were written before a time.",
      footerHeading = "%nExamples:%n",
      footer = {
        "  amanuensis dlq purge --older-than 30d --dry-run",
        "  amanuensis dlq purge --all --yes"
      })
  int purge(
      @Mixin Place place,
      @Option(names = "--all", description = "All.") boolean all,
      @Option(
              names = "--older-than",
              paramLabel = "TIME",
              converter = DurationConverter.class,
              description = "Those older than this (12h, 30d).")
          Duration olderThan,
      @Option(names = "--dry-run", description = "Only say what would be done.") boolean dryRun,
      @Option(names = "--yes", description = "Needed, as there is no way back.") boolean yes)
      throws CliException, InterruptedException {
    if (all == (olderThan != null)) {
      throw new CliException(ExitCodes.USAGE, "say which: --all or --older-than TIME");
    }
    if (!yes && !dryRun) {
      throw new CliException(
          ExitCodes.USAGE, "this deletes for good: repeat with --yes, or look with --dry-run");
    }
    Instant before = olderThan == null ? null : Instant.now().minus(olderThan);
    Map<Integer, Long> counts = place.open().purge(before, dryRun);
    counts.forEach((p, n) -> terminal.out().println("partition " + p + ": " + n + " records"));
    terminal.out().flush();
    terminal.err().println(dryRun ? "nothing was deleted" : "deleted");
    return ExitCodes.OK;
  }
}
