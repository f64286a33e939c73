package dev.amanuensis.standalone;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.command.ConnectionOptions;
import dev.amanuensis.cli.kafka.ConnectionCheck;
import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.cli.terminal.StatusLine;
import dev.amanuensis.cli.terminal.Terminal;
import dev.amanuensis.schema.topic.Topics;
import dev.amanuensis.worker.Worker;
import dev.amanuensis.worker.config.Setting;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** A worker alone. */
@Command(
    name = "worker",
    description = {
      "Take jobs from a Kafka that runs elsewhere and publish transcripts, until Ctrl-C or"
          + " SIGTERM.",
      "Jobs in flight are finished first; what is not finished in time goes to another worker."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  amanuensis worker -b kafka:9092 --schema-registry http://registry:8081",
      "  amanuensis worker --allow-root /srv/audio --set pipeline.max.jobs=64",
      "  amanuensis worker -b kafka:9093 --command-config client.properties --print-config"
    })
final class WorkerCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Mixin private ConnectionOptions connection;
  @Mixin private WorkerOptions options;

  WorkerCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws CliException, InterruptedException {
    options.useServerLogging();
    KafkaTarget target = connection.target();
    Map<String, String> settings = new HashMap<>(options.settings());
    settings.put(Setting.BOOTSTRAP_SERVERS.key(), target.bootstrapServers());
    settings.put(Setting.SCHEMA_REGISTRY_URL.key(), target.registryUrl());
    if (!target.jobsTopic().equals(Topics.JOBS)) { // else all lanes
      settings.put(Setting.JOBS_TOPICS.key(), target.jobsTopic());
    }
    settings.put(Setting.TRANSCRIPTS_TOPIC.key(), target.transcriptsTopic());
    target
        .clientProperties()
        .forEach((key, value) -> settings.put(Setting.CLIENT_PREFIX + key, value));
    if (options.printed(settings, terminal)) {
      return ExitCodes.OK;
    }
    options.warnOfMissingRoots(terminal);
    try (StatusLine status = new StatusLine(terminal);
        ShutdownSignal shutdown = new ShutdownSignal()) {
      options.fetchModel(terminal, status);
      ConnectionCheck.run(
          target, Worker.topics(Workers.config(settings)), connection.connectTimeout());
      try (Admin admin = Admin.start(Workers.config(settings), List.of());
          Worker worker = Workers.load(settings, admin)) {
        admin.url().ifPresent(url -> terminal.err().println("ops page: " + url));
        worker.start();
        Workers.awaitReady(worker, shutdown);
        terminal.err().println("worker is ready: it takes jobs from " + target.jobsTopic());
        Workers.awaitEnd(worker, shutdown);
        admin.stopping();
      }
    }
    return ExitCodes.OK;
  }
}
