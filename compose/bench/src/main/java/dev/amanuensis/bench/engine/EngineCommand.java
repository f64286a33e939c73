package dev.amanuensis.bench.engine;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.amanuensis.bench.InstalledModel;
import dev.amanuensis.bench.Machine;
import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.terminal.StatusLine;
import dev.amanuensis.cli.terminal.Terminal;
import dev.amanuensis.engine.Engine;
import dev.amanuensis.engine.EngineException;
import dev.amanuensis.engine.Profile;
import dev.amanuensis.model.ModelFiles;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The engine part by part, beside what this machine allows. */
@Command(
    name = "engine",
    description = {
      "Measure the engine part by part: the GEMMs, the encoder's stages beside a bound made of them,"
          + " decoder steps beside the memory bandwidth, and one 30 s file alone.",
      "Takes about a minute. Needs no audio: the arithmetic does not depend on it."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  amanuensis bench engine",
      "  amanuensis bench engine --json > engine.json",
      "  ONEDNN_MAX_CPU_ISA=AVX2 amanuensis bench engine",
      "  amanuensis bench engine --profile reference --threads 1"
    })
public final class EngineCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Option(
      names = "--profile",
      paramLabel = "PROFILE",
      defaultValue = "FAST",
      description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
  private Profile profile;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description =
          "For a window that is alone, and for the decoder; kernels and stages are measured on one."
              + " Default: the cores.")
  private Integer threads;

  @Option(names = "--json", description = "Print JSON instead of Markdown.")
  private boolean json;

  public EngineCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws CliException {
    int team = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
    if (team < 1 || team > 256) {
      throw new CliException(ExitCodes.USAGE, "--threads must be 1 to 256");
    }
    ObjectMapper mapper = new ObjectMapper();
    try (StatusLine status = new StatusLine(terminal)) {
      status.show("loading the model");
      ModelFiles model = InstalledModel.locate();
      try (Engine engine = Engine.open(model.weights(), profile)) {
        status.show("measuring, about a minute; the machine should be idle otherwise");
        ObjectNode figures = (ObjectNode) mapper.readTree(engine.benchmark(team));
        figures.put("cpu", Machine.here().describe());
        status.hide();
        terminal
            .out()
            .print(
                json
                    ? mapper.writerWithDefaultPrettyPrinter().writeValueAsString(figures) + "\n"
                    : EngineReport.markdown(figures));
      }
      return ExitCodes.OK;
    } catch (EngineException | JsonProcessingException e) {
      throw new CliException(ExitCodes.INTERNAL, "the benchmark failed: " + e.getMessage(), e);
    }
  }
}
