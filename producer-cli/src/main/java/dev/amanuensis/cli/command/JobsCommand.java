package dev.amanuensis.cli.command;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.kafka.ConnectionCheck;
import dev.amanuensis.cli.kafka.JobHistory;
import dev.amanuensis.cli.kafka.JobStatus;
import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.cli.terminal.Terminal;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Questions about jobs. */
@Command(
    name = "jobs",
    description = "Ask what became of jobs.",
    footerHeading = "%nExamples:%n",
    footer = {"  amanuensis jobs status 01937f3e-7c00-7000-8000-000000000001"})
public final class JobsCommand implements Runnable {
  private final Terminal terminal;

  @Spec private CommandSpec spec;

  public JobsCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "say which: status");
  }

  @Command(
      name = "status",
      description = {
        "Say where jobs stand, as the topics tell: SUBMITTED, RUNNING (a long job has published"
            + " segments), COMPLETED, FAILED, EXPIRED, CANCELLED or UNKNOWN.",
        "Ids that submit made tell their time, so only newer records are read; for other ids the"
            + " topics are read as a whole."
      },
      footerHeading = "%nExamples:%n",
      footer = {
        "  amanuensis jobs status 01937f3e-7c00-7000-8000-000000000001",
        "  amanuensis jobs status --format json $(cut -f1 submitted.txt) | jq -r .status",
        "",
        "Exit codes: 0 every job is known and none failed, 1 one failed, expired, was cancelled or"
            + " is unknown,",
        "4 Kafka or registry not reachable."
      })
  int status(
      @Mixin ConnectionOptions connection,
      @Option(
              names = {"-f", "--format"},
              paramLabel = "FORMAT",
              defaultValue = "txt",
              description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
          ListFormat format,
      @Parameters(
              paramLabel = "ID",
              arity = "1..*",
              converter = JobId.class,
              description = "Ids of jobs.")
          List<String> ids)
      throws CliException, InterruptedException {
    KafkaTarget target = connection.target();
    ConnectionCheck.run(target, connection.connectTimeout());
    JobHistory history = new JobHistory(target, connection.connectTimeout());
    boolean bad = false;
    for (String id : ids) {
      JobStatus status = history.of(id);
      if (format == ListFormat.JSON) {
        terminal.out().println(Json.line(status.fields()));
      } else {
        status
            .fields()
            .forEach((name, v) -> terminal.out().printf("%-20s %s%n", name, Terminal.plain(v)));
        terminal.out().println();
      }
      terminal.out().flush();
      bad |=
          switch (status.state()) {
            case SUBMITTED, RUNNING, COMPLETED -> false;
            case UNKNOWN, FAILED, EXPIRED, CANCELLED -> true;
          };
    }
    return bad ? ExitCodes.FAILED : ExitCodes.OK;
  }
}
