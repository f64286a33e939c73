package dev.amanuensis.bench;

import dev.amanuensis.bench.engine.EngineCommand;
import dev.amanuensis.bench.fleet.FleetCommand;
import dev.amanuensis.bench.peers.PeersCommand;
import dev.amanuensis.bench.pipeline.PipelineCommand;
import dev.amanuensis.cli.terminal.Terminal;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The benchmarks that a reader can run. */
@Command(
    name = "bench",
    description = "Measure: the engine part by part, against other engines, and through Kafka.",
    footer = {
      "",
      "Examples:",
      "  amanuensis bench engine",
      "  amanuensis bench peers --audio recordings/ --language en",
      "  amanuensis bench fleet --audio recordings/ --language en",
      "  amanuensis bench pipeline",
      "",
      "A benchmark wants the machine for itself: stop what else is running."
    })
public final class BenchCommand implements Runnable {
  @Spec private CommandSpec spec;

  private BenchCommand() {}

  /** The command with its benchmarks below it. */
  public static CommandLine commandLine(Terminal terminal) {
    return new CommandLine(new BenchCommand())
        .addSubcommand(new EngineCommand(terminal))
        .addSubcommand(new PeersCommand(terminal))
        .addSubcommand(new FleetCommand(terminal))
        .addSubcommand(new PipelineCommand(terminal));
  }

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "say which benchmark: engine, peers, fleet, pipeline");
  }
}
