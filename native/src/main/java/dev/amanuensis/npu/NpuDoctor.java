package dev.amanuensis.npu;

import dev.amanuensis.engine.EngineException;
import dev.amanuensis.engine.NpuDevice;
import dev.amanuensis.engine.NpuOptions;
import dev.amanuensis.engine.NpuProgram;
import dev.amanuensis.engine.NpuStatistics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Looks at everything that an NPU needs, from the board to the programs, then asks the device. */
public final class NpuDoctor {
  private final MachineCheck machine;
  private final Path artifacts;
  private final Path xrtLibrary;

  /**
   * @param artifacts folder of the compiled programs
   * @param xrtLibrary or null: where XRT usually is
   */
  public NpuDoctor(Path artifacts, Path xrtLibrary) {
    this(new MachineCheck(Path.of("/")), artifacts, xrtLibrary);
  }

  NpuDoctor(MachineCheck machine, Path artifacts, Path xrtLibrary) {
    this.machine = machine;
    this.artifacts = artifacts;
    this.xrtLibrary = xrtLibrary;
  }

  /** In the order in which things depend on one another. */
  public List<Finding> examine() throws IOException {
    List<Finding> findings = new ArrayList<>(machine.run());
    boolean backend = NpuDevice.backend().isPresent();
    findings.add(
        backend
            ? Finding.ok("backend", "libamanuensis_xdna2.so is part of this build")
            : Finding.bad(
                "backend",
                "this build has none: XRT's headers were not found when it was made",
                "apt-get install libxrt-dev uuid-dev (XRT 2.21 or newer), then build again; the build"
                    + " says why in its output"));
    NpuManifest manifest = artifacts(findings);
    if (!backend) {
      findings.add(Finding.skipped("XRT", "needs the backend"));
      findings.add(Finding.skipped("known answers", "needs the backend"));
    } else {
      ask(manifest == null ? List.of() : manifest.programs(), findings);
    }
    return findings;
  }

  private NpuManifest artifacts(List<Finding> findings) {
    String mend = "native/npu/build-artifacts " + artifacts;
    if (!Files.isRegularFile(artifacts.resolve(NpuManifest.FILE))) {
      findings.add(Finding.bad("programs", "no " + NpuManifest.FILE + " in " + artifacts, mend));
      return null;
    }
    try {
      NpuManifest manifest = NpuManifest.read(artifacts);
      List<String> problems = manifest.problems();
      if (problems.isEmpty()) {
        findings.add(
            Finding.ok(
                "programs", manifest.products().size() + " products in " + artifacts + ", intact"));
        return manifest;
      }
      findings.add(Finding.bad("programs", String.join("; ", problems), mend));
    } catch (IOException e) {
      findings.add(Finding.bad("programs", e.getMessage(), mend));
    }
    return null;
  }

  /** Without programs XRT is looked for all the same. */
  private void ask(List<NpuProgram> programs, List<Finding> findings) {
    try (NpuDevice device = NpuDevice.open(NpuOptions.of(xrtLibrary, programs))) {
      NpuStatistics s = device.statistics();
      findings.add(Finding.ok("XRT", s.xrt()));
      findings.add(
          Finding.ok(
              "known answers", s.name() + " answered right for " + programs.size() + " programs"));
    } catch (EngineException e) {
      String message = e.getMessage().replace(" (" + e.status() + ")", "");
      int hint = hintOf(message);
      String found = hint < 0 ? message : message.substring(0, hint);
      String mend =
          hint < 0
              ? "install XRT 2.21 or newer with its NPU plugin (Debian: libxrt2 libxrt-npu2), or name"
                  + " its libxrt_coreutil.so.2 with --xrt"
              : message.substring(hint + 2, message.length() - 1);
      boolean loaded = !message.contains("can't be loaded");
      findings.add(
          loaded
              ? Finding.ok("XRT", "libxrt_coreutil.so.2 is loaded")
              : Finding.bad("XRT", found, mend));
      findings.add(
          loaded && !programs.isEmpty()
              ? Finding.bad("known answers", found, mend)
              : Finding.skipped("known answers", loaded ? "needs the programs" : "needs XRT"));
    }
  }

  /** Where the parenthesis that ends the message begins, or -1. */
  private static int hintOf(String message) {
    if (!message.endsWith(")")) {
      return -1;
    }
    int open = 0;
    for (int i = message.length() - 1; i > 0; i--) {
      open += message.charAt(i) == ')' ? 1 : message.charAt(i) == '(' ? -1 : 0;
      if (open == 0) {
        return message.charAt(i - 1) == ' ' ? i - 1 : -1;
      }
    }
    return -1;
  }
}
