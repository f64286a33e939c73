package dev.amanuensis.engine;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * How an NPU is to be opened and watched.
 *
 * @param xrtLibrary XRT's libxrt_coreutil.so.2; null: $XILINX_XRT, the loader's own search,
 *     /opt/xilinx/xrt
 * @param programs of one xclbin, if they can be
 * @param timeout host's limit for one command, at least 6 s: the driver's own is 2 to 4 s
 * @param probe pause before a device that was given up is tried again; doubles up to 5 minutes
 * @param maxWindows on the device at once, at most
 * @param checkEvery one product of so many is compared with the CPU's; 0: none
 * @param rowChecks whether every row of every product is held to a checksum
 * @param keepTrying whether a device that doesn't open now is tried again in the background
 * @param spill whether windows go to the CPU where that is faster
 */
public record NpuOptions(
    Path xrtLibrary,
    List<NpuProgram> programs,
    Duration timeout,
    Duration probe,
    int maxWindows,
    int checkEvery,
    boolean rowChecks,
    boolean keepTrying,
    boolean spill) {
  /** What suits almost everybody. */
  public static NpuOptions of(Path xrtLibrary, List<NpuProgram> programs) {
    return new NpuOptions(
        xrtLibrary,
        programs,
        Duration.ofSeconds(6),
        Duration.ofSeconds(10),
        4,
        64,
        true,
        false,
        true);
  }

  /** The same for measuring the device: every window goes there. */
  public NpuOptions withoutSpill() {
    return new NpuOptions(
        xrtLibrary, programs, timeout, probe, 1024, checkEvery, rowChecks, keepTrying, false);
  }
}
