package dev.amanuensis.worker.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.amanuensis.engine.NpuDevice;
import dev.amanuensis.engine.NpuStatistics;
import dev.amanuensis.worker.config.ConfigException;
import dev.amanuensis.worker.config.WorkerConfig;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What each value of {@code device} does where there is an NPU, where it fails, and where none. */
class NpuSettingsIT {
  private static final String MISSING = "/nowhere/libxrt_coreutil.so.2";

  @TempDir Path folder;

  @AfterEach
  void mend() throws Exception {
    FakeNpu.faults("");
  }

  private static WorkerConfig config(String... pairs) {
    Map<String, String> settings = new HashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      settings.put(pairs[i], pairs[i + 1]);
    }
    return WorkerConfig.of(settings, Map.of());
  }

  private WorkerConfig fake(String device) throws Exception {
    assumeTrue(FakeNpu.isBuilt(), "built without XRT's headers: there is no backend to test");
    return config(
        "device",
        device,
        "npu.artifacts",
        FakeNpu.artifacts(folder).toString(),
        "npu.xrt.library",
        FakeNpu.XRT.toString(),
        "npu.probe.seconds",
        "1");
  }

  @Test
  void withoutAnNpuTheDefaultIsTheCpu() {
    assertThat(NpuSettings.open(config("npu.artifacts", folder.toString()))).isEmpty();
    assertThat(NpuSettings.open(config("device", "cpu"))).isEmpty();
  }

  @Test
  void withoutAnNpuAskingForItSaysWhatToRun() {
    for (String device : new String[] {"npu", "xdna2"}) {
      WorkerConfig c =
          config("device", device, "npu.artifacts", folder.toString(), "npu.xrt.library", MISSING);
      assertThatThrownBy(() -> NpuSettings.open(c))
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining("device=" + device)
          .hasMessageContaining("build-artifacts")
          .hasMessageContaining("amanuensis npu doctor");
    }
    WorkerConfig exact = config("device", "npu", "profile", "reference");
    assertThatThrownBy(() -> NpuSettings.open(exact)).hasMessageContaining("profile=fast");
  }

  @Test
  void aHealthyNpuIsTakenByDefault() throws Exception {
    try (NpuDevice npu = NpuSettings.open(fake("auto")).orElseThrow()) {
      assertThat(npu.statistics().state()).isEqualTo(NpuStatistics.State.READY);
    }
  }

  @Test
  void whatNoLaterAttemptCanMendIsAnErrorWithTheMend() throws Exception {
    WorkerConfig explicitly = fake("npu");
    for (String[] fault :
        new String[][] {
          {"absent:-1", "modprobe amdxdna"},
          {"open:-1", "group"},
          {"memlock:-1", "locked memory"}
        }) {
      FakeNpu.faults(fault[0]);
      assertThatThrownBy(() -> NpuSettings.open(explicitly))
          .as(fault[0])
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining(fault[1])
          .hasMessageContaining("npu doctor");
      assertThat(NpuSettings.open(fake("auto"))).as(fault[0]).isEmpty();
    }
  }

  @Test
  void aDeviceThatFailsNowIsTriedAgainAndUsed() throws Exception {
    for (String wanted : new String[] {"npu", "auto"}) {
      FakeNpu.faults("hwctx:-1");
      try (NpuDevice device = NpuSettings.open(fake(wanted)).orElseThrow()) {
        assertThat(device.statistics().state()).isEqualTo(NpuStatistics.State.DOWN);
        assertThat(device.statistics().kind()).isEqualTo("contexts");
        FakeNpu.faults("");
        FakeNpu.await("the device of device=" + wanted, () -> FakeNpu.isReady(device));
      }
    }
  }
}
