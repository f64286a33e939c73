package dev.amanuensis.cli.command;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.kafka.TopicAdmin;
import dev.amanuensis.cli.terminal.Terminal;
import dev.amanuensis.schema.topic.TopicCreator;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.NewTopic;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The topics of a fleet. */
@Command(
    name = "topics",
    description = "Create the fleet's topics as recommended.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  amanuensis topics create --dry-run -b kafka:9092",
      "  amanuensis topics create -b kafka:9092 --partitions 24 --command-config admin.properties"
    })
public final class TopicsCommand implements Runnable {
  private final Terminal terminal;

  @Spec private CommandSpec spec;

  public TopicsCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "say which: create");
  }

  @Command(
      name = "create",
      description = {
        "Create every topic that is missing, with the recommended partitions, retention,"
            + " compaction, replication and record size. Safe to repeat.",
        "What exists is compared and left as it is."
      },
      footerHeading = "%nExamples:%n",
      footer = {
        "  amanuensis topics create --dry-run",
        "  amanuensis topics create -b kafka:9092 --brokers 3 --connect-timeout 120",
        "  amanuensis topics create -b kafka:9092 --partitions 24 --replication-factor 3",
        "  amanuensis topics create --dry-run --format json | jq -r"
            + " 'select(.state==\"MISSING\").topic'",
        "",
        "Exit codes: 0 all topics are there (or would be), 4 Kafka can't be reached or refuses."
      })
  int create(
      @Mixin ConnectionOptions connection,
      @Option(
              names = "--partitions",
              paramLabel = "N",
              defaultValue = "12",
              description =
                  "Of each lane and of the results: at least the number of workers. Default:"
                      + " ${DEFAULT-VALUE}.")
          int partitions,
      @Option(
              names = "--replication-factor",
              paramLabel = "N",
              description = "Copies. Default: 3, or as many as there are brokers.")
          Integer replicationFactor,
      @Option(
              names = "--brokers",
              paramLabel = "N",
              defaultValue = "1",
              description =
                  "Wait for so many brokers, as long as --connect-timeout: of a cluster that starts"
                      + " the first would get all copies. Default: ${DEFAULT-VALUE}.")
          int brokers,
      @Option(names = "--dry-run", description = "Only say what would be done.") boolean dryRun,
      @Option(
              names = {"-f", "--format"},
              paramLabel = "FORMAT",
              defaultValue = "txt",
              description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
          ListFormat format)
      throws CliException, InterruptedException {
    if (partitions < 1 || brokers < 1 || replicationFactor != null && replicationFactor < 1) {
      throw new CliException(
          ExitCodes.USAGE, "--partitions, --brokers and --replication-factor must be at least 1");
    }
    TopicAdmin admin = new TopicAdmin(connection.target(), connection.connectTimeout());
    for (TopicCreator.Outcome outcome :
        admin.create(partitions, replicationFactor, brokers, dryRun)) {
      print(outcome, format);
    }
    terminal.out().flush();
    return ExitCodes.OK;
  }

  private void print(TopicCreator.Outcome outcome, ListFormat format) {
    NewTopic topic = outcome.wanted();
    Map<String, String> config = new TreeMap<>(topic.configs());
    if (format == ListFormat.JSON) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("topic", topic.name());
      fields.put("state", outcome.state().name());
      fields.put("partitions", topic.numPartitions());
      fields.put("replication_factor", topic.replicationFactor());
      fields.put("config", config);
      fields.put("differences", outcome.differences());
      terminal.out().println(Json.line(fields));
      return;
    }
    terminal
        .out()
        .printf(
            Locale.ROOT,
            "%-8s  %-24s  %2d partitions, %d copies  %s%n",
            outcome.state().name().toLowerCase(Locale.ROOT),
            topic.name(),
            topic.numPartitions(),
            topic.replicationFactor(),
            config);
    outcome.differences().forEach(d -> terminal.out().println("          " + d));
  }
}
