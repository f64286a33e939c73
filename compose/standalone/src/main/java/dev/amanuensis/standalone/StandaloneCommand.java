package dev.amanuensis.standalone;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.command.PortNumber;
import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.cli.terminal.StatusLine;
import dev.amanuensis.cli.terminal.Terminal;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Everything in one process, until it is told to stop. */
@Command(
    name = "standalone",
    description = {
      "Run Kafka, a Schema Registry, a worker and OpenAI's audio API in one process, on the"
          + " loopback interface, until Ctrl-C or SIGTERM.",
      "Topics, jobs, transcripts and schema ids are kept and are there again at the next start."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  amanuensis standalone",
      "  amanuensis standalone --profile reference --data-dir /srv/amanuensis",
      "  amanuensis standalone --kafka-port 0 --registry-port 0 --admin-port 0",
      "  amanuensis standalone --allow-root ~/recordings"
    })
final class StandaloneCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Option(
      names = "--kafka-port",
      paramLabel = "PORT",
      defaultValue = "9092",
      converter = PortNumber.class,
      description = "0 takes a free one. Default: ${DEFAULT-VALUE}.")
  private int kafkaPort;

  @Option(
      names = "--registry-port",
      paramLabel = "PORT",
      defaultValue = "8081",
      converter = PortNumber.class,
      description = "0 takes a free one. Default: ${DEFAULT-VALUE}.")
  private int registryPort;

  @Option(
      names = "--data-dir",
      paramLabel = "DIR",
      description = "Data of Kafka and the registry. Default: in the user's state directory.")
  private Path dataDirectory;

  @Mixin private WorkerOptions options;

  StandaloneCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws CliException, InterruptedException {
    options.useServerLogging();
    if (options.printed(options.settings(), terminal)) {
      return ExitCodes.OK;
    }
    options.warnOfMissingRoots(terminal);
    Path data = dataDirectory == null ? UserState.directory(System.getenv()) : dataDirectory;
    Fleet.Plan plan = new Fleet.Plan(data, kafkaPort, registryPort, options.settings());
    try (StatusLine status = new StatusLine(terminal);
        ShutdownSignal shutdown = new ShutdownSignal()) {
      Workers.config(options.settings()); // a wrong setting shows before anything starts
      options.fetchModel(terminal, status);
      status.show("starting Kafka, the registry and a worker");
      try (Fleet fleet = Fleet.start(plan)) {
        while (fleet.starting() != null && !shutdown.await(20)) {
          fleet.check();
        }
        status.hide();
        if (fleet.starting() == null) {
          hint(fleet, data);
        }
        while (!shutdown.await(500)) {
          fleet.check();
        }
        terminal.err().println("stopping");
      }
    }
    return ExitCodes.OK;
  }

  private void hint(Fleet fleet, Path data) {
    KafkaTarget target = fleet.target();
    var out = terminal.out();
    out.println("Amanuensis is ready; Ctrl-C stops it.");
    out.println("  Kafka            " + target.bootstrapServers());
    out.println("  Schema Registry  " + target.registryUrl());
    fleet
        .adminUrl()
        .ifPresent(
            url -> {
              out.println("  OpenAI's API     " + url + "v1");
              out.println("  ops page         " + url);
            });
    out.println("  data             " + data.toAbsolutePath());
    out.println("Try in another terminal:");
    out.println(
        "  amanuensis submit --wait -b "
            + target.bootstrapServers()
            + " --schema-registry "
            + target.registryUrl()
            + " FILE");
    fleet
        .adminUrl()
        .ifPresent(
            url ->
                out.println(
                    "  curl " + url + "v1/audio/transcriptions -F model=whisper-1 -F file=@FILE"));
    out.flush();
  }
}
