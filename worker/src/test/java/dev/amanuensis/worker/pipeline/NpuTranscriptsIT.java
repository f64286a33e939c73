package dev.amanuensis.worker.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.amanuensis.engine.EngineOptions;
import dev.amanuensis.engine.NpuDevice;
import dev.amanuensis.engine.NpuStatistics;
import dev.amanuensis.engine.Profile;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.TranscriptionResult;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The NPU path through the fake XRT: the transcripts of the CPU, whatever goes wrong. */
class NpuTranscriptsIT {
  /** Each fault, and the kind it is reported as; the last ones end in more than one step. */
  private static final Map<String, String> FAULTS = new LinkedHashMap<>();

  static {
    FAULTS.put("eio:1", "dispatch");
    FAULTS.put("error:1", "other");
    FAULTS.put("wrong:2:9", "wrong_result");
    FAULTS.put("stale:1", "wrong_result");
    FAULTS.put("tdr:1", "reset");
    FAULTS.put("hang:1", "hung");
    FAULTS.put("eio:1 hwctx:6", "contexts");
    FAULTS.put("eio:1 heap:1", "heap");
    FAULTS.put("eio:1 memlock:1", "memlock");
    FAULTS.put("slow:20:60", "");
  }

  private static Map<String, TranscriptionResult> cpu;
  private static NpuDevice device;
  private static Golden npu;

  @BeforeAll
  static void open(@TempDir Path folder) throws Exception {
    assumeTrue(FakeNpu.isBuilt(), "built without XRT's headers: there is no backend to test");
    try (Golden golden = new Golden(Profile.FAST)) {
      cpu = transcribe(golden, golden.files());
    }
    device = FakeNpu.open(FakeNpu.artifacts(folder), 64);
    npu = new Golden(EngineOptions.of(Profile.FAST), device);
  }

  @AfterAll
  static void close() {
    if (npu != null) {
      FakeNpu.faults("");
      npu.close();
    }
  }

  private static Map<String, TranscriptionResult> transcribe(Golden golden, List<String> files)
      throws Exception {
    Map<String, CompletableFuture<JobResult>> pending = new LinkedHashMap<>();
    for (String file : files) {
      pending.put(file, golden.submit(file, false));
    }
    Map<String, TranscriptionResult> results = new LinkedHashMap<>();
    for (var entry : pending.entrySet()) {
      JobResult result = entry.getValue().get(10, TimeUnit.MINUTES);
      assertThat(result.status()).as(entry.getKey()).isEqualTo(JobResult.Status.COMPLETED);
      results.put(entry.getKey(), result.transcription());
    }
    return results;
  }

  private static List<String> shortFiles() {
    List<String> files = new ArrayList<>(cpu.keySet());
    files.removeIf(
        f -> f.equals("long.flac") || f.equals("noise.flac") || f.equals("silence.flac"));
    return files.subList(0, 4);
  }

  @Test
  void everyTranscriptIsTheCpusToTheLastBit() throws Exception {
    assertThat(transcribe(npu, npu.files())).isEqualTo(cpu);
    NpuStatistics s = device.statistics();
    assertThat(s.windows()).as("windows on the device").isPositive();
    assertThat(s.products()).as("four products a layer, and cross-attention").isGreaterThan(24);
    assertThat(s.cpuProducts()).isZero();
    assertThat(s.faults()).isZero();
    System.out.printf(
        "NPU (fake): %d windows there, %d spilled, %d products, duty %.0f %%%n",
        s.windows(), s.spilledWindows(), s.products(), 100 * s.duty());
  }

  @Test
  void noFaultCostsATranscriptOrChangesOne() throws Exception {
    List<String> files = shortFiles();
    for (var fault : FAULTS.entrySet()) {
      FakeNpu.awaitReady(device);
      long before = device.statistics().faults();
      FakeNpu.faults(fault.getKey());
      long begun = System.nanoTime();
      Map<String, TranscriptionResult> results = transcribe(npu, files);
      double seconds = (System.nanoTime() - begun) * 1e-9;
      FakeNpu.awaitFault(device, fault.getValue());
      NpuStatistics s = device.statistics();
      FakeNpu.faults("release:-1");
      for (String file : files) {
        assertThat(results.get(file)).as(fault.getKey() + ", " + file).isEqualTo(cpu.get(file));
      }
      if (!fault.getValue().isEmpty()) {
        assertThat(s.faults()).as(fault.getKey() + ": noticed").isGreaterThan(before);
        assertThat(s.kind()).as(fault.getKey()).isEqualTo(fault.getValue());
        assertThat(s.hint()).isNotBlank();
      }
      long released = System.nanoTime();
      FakeNpu.awaitReady(device);
      System.out.printf(
          "%-16s %4.1f s for %d files, back %3.0f ms after%n",
          fault.getKey(), seconds, files.size(), (System.nanoTime() - released) * 1e-6);
    }
  }
}
