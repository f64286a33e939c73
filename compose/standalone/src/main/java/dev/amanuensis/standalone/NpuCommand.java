package dev.amanuensis.standalone;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.terminal.Terminal;
import dev.amanuensis.npu.Finding;
import dev.amanuensis.npu.NpuDoctor;
import dev.amanuensis.worker.config.WorkerConfig;
import dev.amanuensis.worker.device.NpuSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Everything about the NPU of this machine. */
@Command(
    name = "npu",
    description = "Examine this machine's NPU, or accept it for use.",
    footer = {
      "",
      "Examples:",
      "  amanuensis npu doctor",
      "  amanuensis npu doctor --json | jq '.findings[] | select(.grade != \"OK\")'",
      "  amanuensis npu accept --soak 30m"
    })
final class NpuCommand implements Runnable {
  private final Terminal terminal;

  @Spec private CommandSpec spec;

  NpuCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "say which: doctor or accept");
  }

  @Command(
      name = "doctor",
      description = {
        "Look at everything an XDNA2 NPU needs (device, driver, firmware, XRT, permissions, limits,"
            + " programs), then ask it for products with known answers.",
        "Exit code 1 if anything is bad."
      },
      footer = {"", "Example:", "  amanuensis npu doctor --json"})
  int doctor(
      @Option(names = "--json", description = "Print the findings as JSON.") boolean json,
      @Option(names = "--artifacts", paramLabel = "DIR", description = "Folder of the programs.")
          Path artifacts,
      @Option(names = "--xrt", paramLabel = "FILE", description = "XRT's libxrt_coreutil.so.2.")
          Path xrt)
      throws CliException, IOException {
    WorkerConfig config = config(artifacts, xrt);
    List<Finding> findings = doctor(config).examine();
    terminal.out().print(json ? json(findings) : table(findings));
    terminal.out().flush();
    return healthy(findings) ? ExitCodes.OK : ExitCodes.FAILED;
  }

  @Command(
      name = "accept",
      description = {
        "For the owner of an XDNA2 NPU: the doctor; rates of every product beside the published 38"
            + " TOPS; encoder time and states beside the CPU's; transcripts and word error rate of"
            + " the project's speech with the NPU and without; a soak with idle gaps; and a report"
            + " file to send us.",
        "Exit code 1 if anything is bad, differs from the CPU, or was computed by the CPU in the"
            + " device's place. The report is written again after each step and burst."
      },
      footer = {
        "",
        "Examples:",
        "  amanuensis npu accept",
        "  amanuensis npu accept --soak 2m --report /tmp/npu.json"
      })
  int accept(
      @Option(names = "--artifacts", paramLabel = "DIR", description = "Folder of the programs.")
          Path artifacts,
      @Option(names = "--xrt", paramLabel = "FILE", description = "XRT's libxrt_coreutil.so.2.")
          Path xrt,
      @Option(
              names = "--speech",
              paramLabel = "DIR",
              description =
                  "Folder with golden/transcripts.json and its audio. Default: the source tree's.")
          Path speech,
      @Option(
              names = "--soak",
              paramLabel = "TIME",
              defaultValue = "30m",
              description = "Length of the soak, as 90s or 30m; 0s: none. Default: 30m.")
          String soak,
      @Option(
              names = "--report",
              paramLabel = "FILE",
              description = "Where the report goes. Default: npu-report-DATE.json here.")
          Path report,
      @Option(
              names = "--even-if-bad",
              description = "Go on although the doctor found something bad.")
          boolean evenIfBad)
      throws CliException, IOException, InterruptedException {
    WorkerConfig config = config(artifacts, xrt);
    AcceptanceReport written = new AcceptanceReport(report);
    NpuAcceptance acceptance =
        new NpuAcceptance(
            terminal,
            NpuSettings.artifacts(config),
            NpuSettings.xrtLibrary(config),
            speech,
            new NpuAcceptance.Effort(50, 4, NpuAcceptance.duration(soak)),
            evenIfBad,
            written);
    List<String> reasons = null;
    try {
      reasons = acceptance.run(doctor(config)::examine);
    } finally {
      String result = reasons != null && reasons.isEmpty() ? "ACCEPTED" : "NOT ACCEPTED";
      terminal.out().println(result + "; the report is in " + written.file());
      (reasons == null ? List.<String>of() : reasons)
          .forEach(r -> terminal.out().println("  because: " + r));
      terminal.out().flush();
    }
    return reasons.isEmpty() ? ExitCodes.OK : ExitCodes.FAILED;
  }

  private static NpuDoctor doctor(WorkerConfig config) {
    return new NpuDoctor(NpuSettings.artifacts(config), NpuSettings.xrtLibrary(config));
  }

  private static WorkerConfig config(Path artifacts, Path xrt) throws CliException {
    Map<String, String> settings = new HashMap<>();
    if (artifacts != null) {
      settings.put("npu.artifacts", artifacts.toString());
    }
    if (xrt != null) {
      settings.put("npu.xrt.library", xrt.toString());
    }
    return Workers.config(settings);
  }

  static boolean healthy(List<Finding> findings) {
    return findings.stream()
        .allMatch(f -> f.grade() == Finding.Grade.OK || f.grade() == Finding.Grade.WARN);
  }

  static String table(List<Finding> findings) {
    StringBuilder text = new StringBuilder();
    int width = findings.stream().mapToInt(f -> f.check().length()).max().orElse(0);
    for (Finding f : findings) {
      String grade =
          switch (f.grade()) {
            case OK -> "ok";
            case WARN -> "warn";
            case BAD -> "BAD";
            case SKIPPED -> "-";
          };
      text.append(("%-4s  %-" + width + "s  %s%n").formatted(grade, f.check(), f.found()));
      if (!f.mend().isEmpty()) {
        text.append(" ".repeat(width + 8)).append("-> ").append(f.mend()).append('\n');
      }
    }
    return text.toString();
  }

  static ArrayNode nodes(List<Finding> findings) {
    ArrayNode list = new ObjectMapper().createArrayNode();
    for (Finding f : findings) {
      list.addObject()
          .put("check", f.check())
          .put("grade", f.grade().name())
          .put("found", f.found())
          .put("mend", f.mend());
    }
    return list;
  }

  private static String json(List<Finding> findings) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode root = mapper.createObjectNode();
    root.put("healthy", healthy(findings));
    root.set("findings", nodes(findings));
    return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n";
  }
}
