package dev.amanuensis.worker.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.amanuensis.engine.EngineOptions;
import dev.amanuensis.engine.NpuDevice;
import dev.amanuensis.engine.NpuStatistics;
import dev.amanuensis.engine.Profile;
import dev.amanuensis.worker.device.FakeNpu;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.TranscriptionResult;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The whole way over the fake XRT: the CPU's transcripts to the last bit, whatever goes wrong.
 *
 * <p>{@code -Damanuensis.npu.jobs=300} makes the run with faults a long one.
 */
class NpuTranscriptsIT {
  private static final int JOBS = Integer.getInteger("amanuensis.npu.jobs", 20);

  /** Products of a window: four in each of six layers, and the cross-attention of six layers. */
  private static final int PRODUCTS = 30;

  private static Path artifacts;
  private static Map<String, TranscriptionResult> cpu;
  private static NpuDevice device;
  private static Golden npu;

  @BeforeAll
  static void open(@TempDir Path folder) throws Exception {
    assumeTrue(FakeNpu.isBuilt(), "built without XRT's headers: there is no backend to test");
    FakeNpu.faults("");
    try (Golden golden = new Golden(EngineOptions.of(Profile.FAST))) {
      cpu = transcribe(golden, golden.files());
    }
    artifacts = FakeNpu.artifacts(folder);
    device = FakeNpu.open(artifacts, true);
    npu = new Golden(EngineOptions.of(Profile.FAST), device);
  }

  @AfterAll
  static void close() throws Exception {
    if (npu != null) {
      FakeNpu.faults("release:-1");
      npu.close();
    }
  }

  /** With words, so that cross-attention shows too. */
  private static Map<String, TranscriptionResult> transcribe(Golden golden, List<String> files)
      throws Exception {
    Map<String, CompletableFuture<JobResult>> pending = new LinkedHashMap<>();
    for (String file : files) {
      pending.put(file, golden.submit(file, true));
    }
    Map<String, TranscriptionResult> results = new LinkedHashMap<>();
    for (var entry : pending.entrySet()) {
      JobResult result = entry.getValue().get(10, TimeUnit.MINUTES);
      assertThat(result.status()).as(entry.getKey()).isEqualTo(JobResult.Status.COMPLETED);
      results.put(entry.getKey(), result.transcription());
    }
    return results;
  }

  @Test
  void everyTranscriptIsTheCpusToTheLastBit() throws Exception {
    NpuStatistics before = device.statistics();
    assertThat(transcribe(npu, npu.files())).isEqualTo(cpu);
    NpuStatistics s = device.statistics();
    long windows = s.windows() - before.windows();
    long products = s.products() - before.products();
    assertThat(windows).as("windows on the device").isGreaterThanOrEqualTo(npu.files().size());
    assertThat(products).as("every product of every window").isEqualTo(windows * PRODUCTS);
    assertThat(s.dispatches() - before.dispatches()).as("fc2 in four").isEqualTo(windows * 48);
    assertThat(s.switches()).as("one program serves all").isZero();
    assertThat(s.cpuProducts()).isEqualTo(before.cpuProducts());
    assertThat(s.faults()).isEqualTo(before.faults());
    System.out.printf(
        "NPU (fake): %d files, %d windows, %d products there, none on the CPU; %d cross-checks%n",
        cpu.size(), windows, products, s.crossChecks() - before.crossChecks());
  }

  @Test
  void whatTheDeviceComputesIsWhatIsUsed() throws Exception {
    NpuDevice unchecked = FakeNpu.open(artifacts, false);
    try (Golden golden = new Golden(EngineOptions.of(Profile.FAST), unchecked)) {
      List<String> file = List.of("jfk.wav");
      assertThat(transcribe(golden, file).get("jfk.wav")).isEqualTo(cpu.get("jfk.wav"));
      FakeNpu.faults("wrong:1:40");
      assertThat(transcribe(golden, file).get("jfk.wav")).isNotEqualTo(cpu.get("jfk.wav"));
      assertThat(unchecked.statistics().faults()).as("nobody looked").isZero();
    }
    FakeNpu.await("the other device", () -> FakeNpu.isReady(device));
    FakeNpu.faults("wrong:1:40");
    long wrong = device.statistics().wrongProducts();
    assertThat(transcribe(npu, List.of("jfk.wav")).get("jfk.wav")).isEqualTo(cpu.get("jfk.wav"));
    assertThat(device.statistics().wrongProducts()).as("a check tripped").isEqualTo(wrong + 1);
  }

  @Test
  void aSlowDeviceSharesTheWindowsWithTheCpuAndNoTranscriptChanges() throws Exception {
    NpuDevice spilling = FakeNpu.openSpilling(artifacts);
    FakeNpu.faults("slow:-1:40");
    try (Golden golden = new Golden(EngineOptions.of(Profile.FAST), spilling)) {
      List<String> files =
          golden.files().stream().filter(f -> f.startsWith("librispeech/")).toList();
      for (Map.Entry<String, TranscriptionResult> e : transcribe(golden, files).entrySet()) {
        assertThat(e.getValue()).as(e.getKey()).isEqualTo(cpu.get(e.getKey()));
      }
      NpuStatistics s = spilling.statistics();
      assertThat(s.windows()).as("windows on the device").isPositive();
      assertThat(s.spilledWindows()).as("windows on the CPU").isPositive();
      assertThat(s.products()).as("every product there").isEqualTo(s.windows() * PRODUCTS);
      assertThat(s.faults()).isZero();
      System.out.printf(
          "NPU (fake, slow): %d windows there, %d on the CPU%n", s.windows(), s.spilledWindows());
    } finally {
      FakeNpu.faults("");
    }
  }

  @Test
  void noFaultLosesAJobOrChangesATranscript() throws Exception {
    NpuFaultRun run = new NpuFaultRun(npu, device, cpu);
    run.execute(JOBS);
    System.out.print(run.report());
    assertThat(run.finished()).as("jobs").isGreaterThanOrEqualTo(JOBS);
    assertThat(run.problems()).isEmpty();
    FakeNpu.faults("release:-1");
    FakeNpu.await("quarantine", () -> device.statistics().quarantined() == 0);
  }
}
