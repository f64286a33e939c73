package dev.amanuensis.bench.pipeline;

import dev.amanuensis.worker.buffers.BufferStatistics;
import dev.amanuensis.worker.job.AudioSource;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.pipeline.PipelineSnapshot;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * Many jobs of mixed lengths, one in twenty broken, fifteen at once: what each gives is compared
 * with what it gives alone, and memory is watched.
 */
final class Endurance {
  private static final int AT_ONCE = 15;
  private static final int GOOD = 38;
  private static final int BROKEN = 2;
  private static final double SHORTEST = 3;
  private static final double LONGEST = 1200;
  private static final long SAMPLE_MILLIS = 200;

  private final Path directory;
  private final int jobs;
  private final PrintStream out;
  private final List<Path> files = new ArrayList<>();
  private final Map<Path, String> alone = new TreeMap<>();

  Endurance(Path directory, int jobs, PrintStream out) {
    this.directory = directory;
    this.jobs = jobs;
    this.out = out;
  }

  /** True if everything was as it must be. */
  boolean run() throws IOException, InterruptedException {
    write();
    try (Rig rig = new Rig(Duration.ofMillis(1), Duration.ZERO, AT_ONCE, directory)) {
      for (Path file : files) {
        CompletableFuture<JobResult> result = new CompletableFuture<>();
        rig.submit(Rig.job("alone", source(file)), result::complete);
        alone.put(file, outcome(result.join()));
      }
      return all(rig);
    }
  }

  /** Lengths evenly spread by their logarithm; one of each twenty is not audio. */
  private void write() throws IOException {
    for (int i = 0; i < GOOD; i++) {
      double seconds = SHORTEST * Math.pow(LONGEST / SHORTEST, (double) i / (GOOD - 1));
      files.add(
          Files.write(directory.resolve("good-%02d.wav".formatted(i)), Noise.wav(i, seconds)));
    }
    for (int i = 0; i < BROKEN; i++) {
      byte[] text = "no audio, number %d. ".formatted(i).repeat(100 + 1000 * i).getBytes();
      files.add(Files.write(directory.resolve("broken-%d.wav".formatted(i)), text));
    }
  }

  private static AudioSource source(Path file) throws IOException {
    return new AudioSource.Reference(file.toRealPath().toUri(), null);
  }

  private static String outcome(JobResult r) {
    return "%s %s %s %s".formatted(r.status(), r.errorCode(), r.audioSha256(), r.transcription());
  }

  private boolean all(Rig rig) throws IOException, InterruptedException {
    Semaphore free = new Semaphore(AT_ONCE);
    AtomicInteger wrong = new AtomicInteger();
    AtomicInteger failed = new AtomicInteger();
    LongAdder audioMillis = new LongAdder();
    Memory memory = new Memory(rig);
    Thread sampler = new Thread(memory, "sampler");
    sampler.setDaemon(true);
    sampler.start();
    SplittableRandom random = new SplittableRandom(7);
    long started = System.nanoTime();
    for (int i = 0; i < jobs; i++) {
      Path file = files.get(random.nextInt(files.size()));
      free.acquire();
      rig.submit(
          Rig.job("job " + i, source(file)),
          result -> {
            if (!outcome(result).equals(alone.get(file))) {
              wrong.incrementAndGet();
            }
            if (result.transcription() == null) {
              failed.incrementAndGet();
            } else {
              audioMillis.add((long) (1000 * result.transcription().durationSeconds()));
            }
            free.release();
          });
    }
    free.acquire(AT_ONCE);
    double seconds = (System.nanoTime() - started) / 1e9;
    memory.stop();
    sampler.join();
    Thread.sleep(100);
    return report(rig.snapshot(), memory, seconds, audioMillis.sum() / 1e3, failed, wrong);
  }

  private boolean report(
      PipelineSnapshot end,
      Memory memory,
      double seconds,
      double audio,
      AtomicInteger failed,
      AtomicInteger wrong) {
    BufferStatistics buffers = end.buffers();
    out.printf(
        "%d jobs, %d at once, %.0f s to %.0f min, %.0f min of audio in %.0f s (%.1f jobs/s);"
            + " %d broken ones failed as they must%n",
        jobs, AT_ONCE, SHORTEST, LONGEST / 60, audio / 60, seconds, jobs / seconds, failed.get());
    out.printf("results that differ from the job run alone: %d%n", wrong.get());
    out.printf(
        "buffers: %d in use at the end, %d leaks, at most %,d of %,d bytes in %d samples%n",
        buffers.inUse(), buffers.leaks(), memory.mostBytes, buffers.capBytes(), memory.samples);
    buffers
        .pools()
        .forEach(
            p ->
                out.printf(
                    "  %-8s hit rate %.4f, grown %d, shrunk %d, exhausted %d%n",
                    p.pool().label(), p.hitRate(), p.grown(), p.shrunk(), p.exhausted()));
    Trend trend = memory.trend();
    out.printf(
        "RSS (anonymous): %.0f MB at the end; slope %.3f ± %.3f MB per minute (95 %%), after the"
            + " first third%n",
        memory.last, trend.slope() * 60, trend.margin() * 60);
    out.flush();
    return wrong.get() == 0
        && buffers.inUse() == 0
        && buffers.leaks() == 0
        && memory.mostBytes <= buffers.capBytes();
  }

  /** Samples while the jobs run. */
  private static final class Memory implements Runnable {
    private final Rig rig;
    private final List<double[]> rss = new ArrayList<>();
    private final long started = System.nanoTime();
    private volatile boolean stopped;
    private long mostBytes;
    private int samples;
    private double last;

    Memory(Rig rig) {
      this.rig = rig;
    }

    @Override
    public void run() {
      try {
        while (!stopped) {
          BufferStatistics buffers = rig.snapshot().buffers();
          mostBytes = Math.max(mostBytes, buffers.usedBytes());
          last = anonymousMegabytes();
          rss.add(new double[] {(System.nanoTime() - started) / 1e9, last});
          samples++;
          Thread.sleep(SAMPLE_MILLIS);
        }
      } catch (IOException | InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }

    void stop() {
      stopped = true;
    }

    /** The first third warms the JVM up. */
    Trend trend() {
      return Trend.of(rss.subList(rss.size() / 3, rss.size()));
    }

    /** Without the pages of mapped files, which the kernel takes back when it likes. */
    private static double anonymousMegabytes() throws IOException {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith("RssAnon:")) {
          return Long.parseLong(line.replaceAll("\\D", "")) / 1024.0;
        }
      }
      throw new IOException("/proc/self/status has no RssAnon");
    }
  }
}
