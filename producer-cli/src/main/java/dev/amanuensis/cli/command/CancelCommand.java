package dev.amanuensis.cli.command;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.kafka.Cancellations;
import dev.amanuensis.cli.kafka.ConnectionCheck;
import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.cli.terminal.Terminal;
import dev.amanuensis.schema.topic.Topics;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Ends jobs. */
@Command(
    name = "cancel",
    description = {
      "Cancel jobs, whether they have begun or not. Each gets a result with status CANCELLED,"
          + " unless another one was published before.",
      "The command returns once the order is written; 'amanuensis jobs status ID' shows the"
          + " outcome."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  amanuensis cancel 01937f3e-7c00-7000-8000-000000000001",
      "  amanuensis cancel --reason 'wrong file' $(cut -f1 submitted.txt)",
      "",
      "Exit codes: 0 ordered, 4 Kafka or registry not reachable."
    })
public final class CancelCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Parameters(
      paramLabel = "ID",
      arity = "1..*",
      converter = JobId.class,
      description = "Ids, as submit printed them.")
  private List<String> ids;

  @Option(names = "--reason", paramLabel = "TEXT", description = "For people; goes to the result.")
  private String reason;

  @Option(
      names = "--valid-for",
      paramLabel = "TIME",
      defaultValue = "7d",
      converter = DurationConverter.class,
      description = "After this time the order is void. Default: ${DEFAULT-VALUE}.")
  private Duration validFor;

  @Mixin private ConnectionOptions connection;

  public CancelCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws CliException, InterruptedException {
    KafkaTarget target = connection.target();
    ConnectionCheck.run(target, List.of(Topics.CONTROL), connection.connectTimeout());
    try (Cancellations cancellations = new Cancellations(target, connection.connectTimeout())) {
      cancellations.cancel(ids, reason, validFor);
    }
    terminal
        .err()
        .println("cancellation ordered for " + ids.size() + (ids.size() == 1 ? " job" : " jobs"));
    return ExitCodes.OK;
  }
}
