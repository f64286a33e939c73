package dev.amanuensis.worker.device;

import dev.amanuensis.engine.EngineException;
import dev.amanuensis.engine.NpuDevice;
import dev.amanuensis.engine.NpuOptions;
import dev.amanuensis.engine.NpuStatistics;
import dev.amanuensis.npu.NpuManifest;
import dev.amanuensis.worker.config.ConfigException;
import dev.amanuensis.worker.config.Setting;
import dev.amanuensis.worker.config.WorkerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens the NPU that the settings ask for. */
public final class NpuSettings {
  private static final Logger LOG = LoggerFactory.getLogger(NpuSettings.class);

  /** Kinds of failure that no later attempt of this process can mend. */
  private static final Set<String> FOR_GOOD =
      Set.of("no_xrt", "no_device", "permission", "memlock", "artifacts");

  /** Where the kernel shows NPUs. */
  private static final Path DEVICES = Path.of("/dev/accel");

  private NpuSettings() {}

  /**
   * The NPU; empty if none is wanted, or {@code device=auto} finds none, which the log explains. A
   * device that is there and fails is tried again in the background.
   *
   * @throws ConfigException if {@code device=npu} can't work here: no backend, no XRT, no device,
   *     no rights, no programs, a profile without int8
   */
  public static Optional<NpuDevice> open(WorkerConfig config) {
    String wanted = config.text(Setting.DEVICE);
    boolean explicitly = wanted.equals("npu") || wanted.equals("xdna2");
    if (!explicitly && !wanted.equals("auto")) {
      return Optional.empty();
    }
    try {
      if (!config.text(Setting.PROFILE).equals("fast")) {
        throw new IOException("the NPU computes int8, which only profile=fast does");
      }
      NpuDevice device = NpuDevice.open(options(config));
      NpuStatistics s = device.statistics();
      if (s.state() != NpuStatistics.State.READY && FOR_GOOD.contains(s.kind())) {
        device.close();
        throw new IOException("%s (%s)".formatted(s.error(), s.hint()));
      }
      if (s.state() == NpuStatistics.State.READY) {
        LOG.info("NPU: {} with {}; its known answers are right", s.name(), s.xrt());
      } else {
        LOG.warn(
            "NPU: does not open and is tried again in the background; the CPU works meanwhile."
                + " {} ({})",
            s.error(),
            s.hint());
      }
      return Optional.of(device);
    } catch (IOException | EngineException e) {
      if (explicitly) {
        throw new ConfigException(
            "device=%s can't work here: %s. 'amanuensis npu doctor' looks at everything it needs;"
                    .formatted(wanted, e.getMessage())
                + " device=auto uses the CPU where there is no NPU");
      }
      LOG.info(
          "no NPU, the CPU encodes: {}",
          asked(config) || Files.isDirectory(DEVICES)
              ? e.getMessage()
              : "this machine shows none in " + DEVICES);
      return Optional.empty();
    }
  }

  /** Whether somebody said where things are. */
  private static boolean asked(WorkerConfig config) {
    return !config.text(Setting.NPU_ARTIFACTS).isBlank()
        || !config.text(Setting.NPU_XRT_LIBRARY).isBlank();
  }

  /** The folder of the NPU's programs. */
  public static Path artifacts(WorkerConfig config) {
    String folder = config.text(Setting.NPU_ARTIFACTS);
    return folder.isBlank() ? NpuManifest.defaultFolder() : Path.of(folder);
  }

  /** XRT's library, or null for the usual places. */
  public static Path xrtLibrary(WorkerConfig config) {
    String library = config.text(Setting.NPU_XRT_LIBRARY);
    return library.isBlank() ? null : Path.of(library);
  }

  private static NpuOptions options(WorkerConfig c) throws IOException {
    Path folder = artifacts(c);
    if (!Files.isRegularFile(folder.resolve(NpuManifest.FILE))) {
      throw new IOException(
          "no programs in %s; native/npu/build-artifacts makes them".formatted(folder));
    }
    NpuManifest manifest = NpuManifest.read(folder);
    List<String> problems = manifest.problems();
    if (!problems.isEmpty()) {
      throw new IOException(
          "the programs in %s: %s".formatted(folder, String.join("; ", problems)));
    }
    return new NpuOptions(
        xrtLibrary(c),
        manifest.programs(),
        c.seconds(Setting.NPU_TIMEOUT_SECONDS),
        c.seconds(Setting.NPU_PROBE_SECONDS),
        c.count(Setting.NPU_MAX_WINDOWS),
        c.count(Setting.NPU_CHECK_EVERY),
        Boolean.parseBoolean(c.text(Setting.NPU_ROW_CHECKS)),
        true,
        Boolean.parseBoolean(c.text(Setting.NPU_SPILL)));
  }
}
