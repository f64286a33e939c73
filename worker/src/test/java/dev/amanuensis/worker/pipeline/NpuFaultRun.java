package dev.amanuensis.worker.pipeline;

import dev.amanuensis.engine.NpuDevice;
import dev.amanuensis.engine.NpuStatistics;
import dev.amanuensis.worker.device.FakeNpu;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.TranscriptionResult;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Jobs without pause over the fake XRT, while every fault it knows is injected in turn. Notes how
 * long the device was believed, and how long it was away.
 */
final class NpuFaultRun {
  /** Jobs in the pipeline at a time: enough that the device never waits for one. */
  private static final int JOBS_AT_ONCE = 4;

  /** A device under a {@code slow} fault is watched for so long. */
  private static final long SLOW_MILLIS = 3_000;

  /** Faults, and the kind that is reported; empty: not a fault. */
  private static final Map<String, String> FAULTS = new LinkedHashMap<>();

  static {
    FAULTS.put("eio:1", "dispatch");
    FAULTS.put("error:1", "other");
    FAULTS.put("wrong:1:1", "wrong_result");
    FAULTS.put("wrong:3:40", "wrong_result");
    FAULTS.put("stale:1", "wrong_result");
    FAULTS.put("tdr:1", "reset");
    FAULTS.put("hang:1", "hung");
    FAULTS.put("block:1", "hung");
    FAULTS.put("eio:1 hwctx:-1", "contexts");
    FAULTS.put("eio:1 heap:-1", "heap");
    FAULTS.put("eio:1 memlock:-1", "memlock");
    FAULTS.put("eio:1 absent:-1", "no_device");
    FAULTS.put("eio:1 open:-1", "permission");
    FAULTS.put("eio:1 bank:-1", "wrong_result");
    FAULTS.put("slow:40:150", "");
  }

  private record Line(String fault, long noticedMillis, long awayMillis) {}

  private final Golden npu;
  private final NpuDevice device;
  private final Map<String, TranscriptionResult> expected;
  private final List<String> files;
  private final Queue<String> problems = new ConcurrentLinkedQueue<>();
  private final AtomicInteger finished = new AtomicInteger();
  private final List<Line> lines = new ArrayList<>();
  private volatile boolean injecting = true;

  NpuFaultRun(Golden npu, NpuDevice device, Map<String, TranscriptionResult> expected) {
    this.npu = npu;
    this.device = device;
    this.expected = expected;
    this.files =
        expected.keySet().stream()
            .filter(f -> f.equals("jfk.wav") || f.startsWith("librispeech/"))
            .toList();
  }

  /** At least so many jobs, and every fault at least once; the faults come round until the end. */
  void execute(int jobs) throws Exception {
    Thread feeder = new Thread(() -> feed(jobs), "feeder");
    feeder.start();
    try {
      List<String> faults = List.copyOf(FAULTS.keySet());
      for (int i = 0; i < faults.size() || finished.get() < jobs; i++) {
        String fault = faults.get(i % faults.size());
        inject(fault, FAULTS.get(fault));
      }
    } finally {
      injecting = false;
    }
    feeder.join();
  }

  private void feed(int jobs) {
    Semaphore places = new Semaphore(JOBS_AT_ONCE);
    try {
      for (int i = 0; i < jobs || injecting; i++) {
        places.acquire();
        String file = files.get(i % files.size());
        npu.submit(file, true)
            .thenAccept(
                result -> {
                  check(file, result);
                  places.release();
                });
      }
      if (!places.tryAcquire(JOBS_AT_ONCE, 2, TimeUnit.MINUTES)) {
        problems.add("jobs were lost: no result within two minutes");
      }
    } catch (Exception e) {
      problems.add(e.toString());
    }
  }

  private void check(String file, JobResult result) {
    if (result.status() != JobResult.Status.COMPLETED) {
      problems.add(file + ": " + result.status());
    } else if (!result.transcription().equals(expected.get(file))) {
      problems.add(file + ": another transcript");
    }
    finished.incrementAndGet();
  }

  private void inject(String fault, String kind) throws Exception {
    FakeNpu.await("the device before " + fault, () -> FakeNpu.isReady(device));
    long products = device.statistics().products();
    FakeNpu.await("work on the device", () -> device.statistics().products() > products);
    NpuStatistics before = device.statistics();
    FakeNpu.faults(fault);
    if (kind.isEmpty()) {
      Thread.sleep(SLOW_MILLIS);
      if (device.statistics().faults() != before.faults()) {
        problems.add(fault + ": a slow device is only slow");
      }
      return;
    }
    long injected = System.nanoTime();
    FakeNpu.await(fault, () -> device.statistics().faults() > before.faults());
    long noticed = System.nanoTime();
    FakeNpu.await(fault + " as " + kind, () -> device.statistics().kind().equals(kind));
    if (lasts(fault)) {
      FakeNpu.faults("release:-1");
    }
    long mended = System.nanoTime();
    FakeNpu.await("return after " + fault, () -> FakeNpu.isReady(device));
    lines.add(
        new Line(
            fault, (noticed - injected) / 1_000_000, (System.nanoTime() - mended) / 1_000_000));
    if (device.statistics().hint().isBlank()) {
      problems.add(fault + ": no hint for " + device.statistics().error());
    }
    FakeNpu.faults("release:-1");
  }

  /** Whether it is there until somebody mends it. */
  private static boolean lasts(String fault) {
    return fault.endsWith(":-1") || fault.startsWith("block");
  }

  List<String> problems() {
    return List.copyOf(problems);
  }

  int finished() {
    return finished.get();
  }

  /** Of each fault: the longest times. */
  String report() {
    StringBuilder text = new StringBuilder();
    NpuStatistics s = device.statistics();
    text.append(
        "NPU (fake): %d jobs, %d faults injected, %d lost or wrong; %d products on the device, %d on the CPU in its place%n"
            .formatted(
                finished.get(), lines.size(), problems.size(), s.products(), s.cpuProducts()));
    for (String fault : FAULTS.keySet()) {
      List<Line> own = lines.stream().filter(l -> l.fault().equals(fault)).toList();
      if (!own.isEmpty()) {
        text.append(
            "  %-16s x%-3d on the CPU after %5d ms at most, back %5d ms after it was mended at most%n"
                .formatted(
                    fault,
                    own.size(),
                    own.stream().mapToLong(Line::noticedMillis).max().orElse(0),
                    own.stream().mapToLong(Line::awayMillis).max().orElse(0)));
      }
    }
    return text.toString();
  }
}
