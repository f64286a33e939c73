package dev.amanuensis.standalone;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.command.ConnectionOptions;
import dev.amanuensis.cli.command.PositiveSeconds;
import dev.amanuensis.cli.kafka.ConnectionCheck;
import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.cli.terminal.Terminal;
import dev.amanuensis.worker.FleetSettings;
import dev.amanuensis.worker.config.Setting;
import dev.amanuensis.worker.intake.FleetReader;
import dev.amanuensis.worker.intake.FleetSnapshot;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The fleet in a terminal. */
@Command(
    name = "top",
    description = {
      "Show the fleet: workers, backlog by lane, rates, devices, pools and dead letters.",
      "It reads Kafka's own data: the workers' heartbeats, the consumer group and its committed"
          + " progress. It joins no group and changes nothing."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  amanuensis top",
      "  amanuensis top -b kafka:9092 --schema-registry http://registry:8081 --interval 5",
      "  amanuensis top --once"
    })
final class TopCommand implements Callable<Integer> {
  private static final String HOME_AND_CLEAR = "\033[H\033[2J";

  private final Terminal terminal;

  @Mixin private ConnectionOptions connection;

  @Option(
      names = "--group",
      paramLabel = "GROUP",
      description = "Consumer group of the fleet. Default: amanuensis.")
  private String group;

  @Option(
      names = "--interval",
      paramLabel = "SECONDS",
      defaultValue = "2",
      converter = PositiveSeconds.class,
      description = "Time between two looks. Default: ${DEFAULT-VALUE}.")
  private long intervalSeconds;

  @Option(names = "--once", description = "Look once and end.")
  private boolean once;

  TopCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws CliException, InterruptedException {
    KafkaTarget target = connection.target();
    ConnectionCheck.run(target, connection.connectTimeout());
    Map<String, String> settings = new HashMap<>();
    settings.put(Setting.BOOTSTRAP_SERVERS.key(), target.bootstrapServers());
    settings.put(Setting.SCHEMA_REGISTRY_URL.key(), target.registryUrl());
    if (group != null) {
      settings.put(Setting.GROUP_ID.key(), group);
    }
    target
        .clientProperties()
        .forEach((key, value) -> settings.put(Setting.CLIENT_PREFIX + key, value));
    try (ShutdownSignal shutdown = new ShutdownSignal();
        FleetReader reader =
            new FleetReader(
                FleetSettings.of(Workers.config(settings), connection.connectTimeout()))) {
      do {
        show(reader.read());
      } while (!once && !shutdown.await(Duration.ofSeconds(intervalSeconds).toMillis()));
    } catch (KafkaException e) {
      throw new CliException(
          ExitCodes.UNREACHABLE, "Kafka does not tell how the fleet is: " + e.getMessage(), e);
    }
    return ExitCodes.OK;
  }

  private void show(FleetSnapshot fleet) {
    var out = terminal.out();
    if (terminal.outIsTerminal() && !once) {
      out.print(HOME_AND_CLEAR);
    }
    FleetTable.lines(fleet).forEach(out::println);
    if (!terminal.outIsTerminal() && !once) {
      out.println();
    }
    out.flush();
  }
}
