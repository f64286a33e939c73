package dev.amanuensis.worker.intake;

import dev.amanuensis.model.ModelFileFuzz;
import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.Task;
import dev.amanuensis.schema.serde.TrustedClasses;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobException;
import dev.amanuensis.worker.source.AudioPreparer;
import dev.amanuensis.worker.source.PreparedAudio;
import dev.amanuensis.worker.source.SourceConfig;
import dev.amanuensis.worker.source.WavFuzz;
import dev.amanuensis.worker.source.reference.ReferenceConfig;
import dev.amanuensis.worker.source.reference.UriFuzz;
import dev.amanuensis.worker.transcription.TokenizerFuzz;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/**
 * Puts mutated inputs through the whole intake path: records with mutated bytes or headers, and
 * records whose audio is mutated, through decoding, fetching and the real FFmpeg child; references,
 * WAV headers, tokenizer and model files besides. Counts crashes, hangs and leaks, and exits with 1
 * if there are any. Seeded: {@code IntakeCampaign CORPUS INPUTS SEED}.
 */
public final class IntakeCampaign {
  private static final Duration STAGE_TIMEOUT = Duration.ofSeconds(30);
  private static final int MAX_EDITS = 8;

  private final Path corpus;
  private final Random random;
  private final AudioPreparer preparer;
  private final Path spill;
  private final Map<String, AtomicLong> outcomes = new TreeMap<>();
  private final AtomicInteger crashes = new AtomicInteger();
  private final AtomicInteger hangs = new AtomicInteger();

  private interface Target {
    void run(byte[] input) throws Exception;
  }

  private IntakeCampaign(Path corpus, long seed) throws IOException {
    this.corpus = corpus;
    this.random = new Random(seed);
    this.spill = Files.createTempDirectory("intake-campaign-");
    this.preparer =
        new AudioPreparer(
            new SourceConfig(
                ReferenceConfig.files(List.of(corpus.toAbsolutePath())),
                spill,
                8 << 20,
                8 << 20,
                Duration.ofMinutes(10),
                STAGE_TIMEOUT.dividedBy(2)));
  }

  public static void main(String[] arguments) throws Exception {
    TrustedClasses.register();
    Path corpus = Path.of(arguments[0]);
    int inputs = Integer.parseInt(arguments[1]);
    long seed = arguments.length > 2 ? Long.parseLong(arguments[2]) : 1;
    System.exit(new IntakeCampaign(corpus, seed).run(inputs) ? 0 : 1);
  }

  private boolean run(int inputs) throws Exception {
    warmUp();
    long fds = openFiles();
    long direct = directBytes();
    long begun = System.nanoTime();
    // Shares of the inputs, in percent; audio costs a child process each.
    phase("record bytes", "record", inputs * 35 / 100, this::record);
    phase("record headers", "header", inputs * 5 / 100, HeadersFuzz::fuzzerTestOneInput);
    phase("audio bodies", "audio", inputs * 12 / 100, this::audio);
    phase("references", "uri", inputs * 23 / 100, UriFuzz::fuzzerTestOneInput);
    phase("wav headers", "wav", inputs * 10 / 100, WavFuzz::fuzzerTestOneInput);
    phase("tokenizer.json", "tokenizer", inputs * 8 / 100, TokenizerFuzz::fuzzerTestOneInput);
    phase("model files", "modelfile", inputs * 7 / 100, ModelFileFuzz::fuzzerTestOneInput);
    preparer.close();
    outcomes.forEach((name, count) -> System.out.printf("  %-45s %8d%n", name, count.get()));
    int leaks = leaks(fds, direct);
    System.out.printf(
        "%d inputs in %d s: %d crashes, %d hangs, %d leaks%n",
        inputs,
        Duration.ofNanos(System.nanoTime() - begun).toSeconds(),
        crashes.get(),
        hangs.get(),
        leaks);
    return crashes.get() == 0 && hangs.get() == 0 && leaks == 0;
  }

  /** Classes, the mock registry and the FFmpeg executable are loaded before files are counted. */
  private void warmUp() throws Exception {
    for (byte[] seed : seeds("audio")) {
      audio(seed);
    }
    for (byte[] seed : seeds("uri")) {
      UriFuzz.fuzzerTestOneInput(seed);
    }
    outcomes.clear();
  }

  private void phase(String name, String folder, int count, Target target) throws Exception {
    List<byte[]> seeds = seeds(folder);
    ExecutorService two = Executors.newFixedThreadPool(2);
    List<Callable<Void>> work = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      byte[] input = mutate(seeds.get(random.nextInt(seeds.size())), seeds);
      work.add(() -> one(name, input, target));
      if (work.size() == 1000 || i == count - 1) {
        for (Future<Void> done : two.invokeAll(work)) {
          done.get();
        }
        work.clear();
      }
    }
    two.shutdown();
    System.out.printf("%s: %d inputs%n", name, count);
  }

  private Void one(String name, byte[] input, Target target) throws IOException {
    long begun = System.nanoTime();
    try {
      target.run(input);
    } catch (Throwable e) {
      crashes.incrementAndGet();
      Path kept = Files.write(Files.createTempFile("campaign-crash-", ".bin"), input);
      System.out.printf("CRASH in %s: %s; input in %s%n", name, e, kept);
      e.printStackTrace(System.out);
    }
    if (System.nanoTime() - begun > STAGE_TIMEOUT.toNanos()) {
      hangs.incrementAndGet();
      System.out.printf("HANG in %s%n", name);
    }
    return null;
  }

  private void record(byte[] value) throws Exception {
    Job job = JobRecordFuzz.decode(value);
    if (job == null) {
      count("record: no job");
    } else {
      prepare("record", job);
    }
  }

  private void audio(byte[] body) throws Exception {
    AudioJob job =
        AudioJob.newBuilder()
            .setJobId("j")
            .setAudio(ByteBuffer.wrap(body))
            .setTask(Task.TRANSCRIBE)
            .build();
    prepare("audio", JobRecordFuzz.decode(JobRecordFuzz.encode(job)));
  }

  private void prepare(String kind, Job job) throws InterruptedException {
    try {
      PreparedAudio audio = preparer.prepare(job);
      count(kind + (audio.samples() > 0 ? ": decoded" : ": decoded to nothing"));
      audio.close();
    } catch (JobException e) {
      count(kind + ": " + e.code());
    }
  }

  private void count(String outcome) {
    synchronized (outcomes) {
      outcomes.computeIfAbsent(outcome, o -> new AtomicLong()).incrementAndGet();
    }
  }

  /** Bytes changed, cut out, repeated, set to extremes, or spliced in from another seed. */
  private byte[] mutate(byte[] seed, List<byte[]> others) {
    byte[] bytes = seed.clone();
    for (int n = 1 + random.nextInt(MAX_EDITS); n > 0 && bytes.length > 0; n--) {
      int at = random.nextInt(bytes.length);
      switch (random.nextInt(6)) {
        case 0 -> bytes[at] = (byte) random.nextInt();
        case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 2 -> bytes[at] = new byte[] {0, 1, -1, 127, -128}[random.nextInt(5)];
        case 3 -> bytes = java.util.Arrays.copyOf(bytes, at); // cut
        case 4 -> bytes = splice(bytes, at, bytes); // repeat
        default -> bytes = splice(bytes, at, others.get(random.nextInt(others.size())));
      }
    }
    return bytes;
  }

  private byte[] splice(byte[] into, int at, byte[] from) {
    if (from.length == 0) {
      return into;
    }
    int start = random.nextInt(from.length);
    int length = Math.min(from.length - start, 1 + random.nextInt(64));
    byte[] result = new byte[into.length + length];
    System.arraycopy(into, 0, result, 0, at);
    System.arraycopy(from, start, result, at, length);
    System.arraycopy(into, at, result, at + length, into.length - at);
    return result;
  }

  private List<byte[]> seeds(String folder) throws IOException {
    List<byte[]> seeds = new ArrayList<>();
    try (Stream<Path> files = Files.list(corpus.resolve(folder)).sorted()) {
      for (Path file : files.toList()) {
        seeds.add(Files.readAllBytes(file));
      }
    }
    return seeds;
  }

  private int leaks(long fds, long direct) throws Exception {
    System.gc();
    Thread.sleep(500);
    int leaks = 0;
    try (Stream<Path> left = Files.list(spill)) {
      long files = left.count();
      leaks += report("temporary files", files, 0);
    }
    leaks += report("child processes", ProcessHandle.current().children().count(), 0);
    leaks += report("open files", openFiles(), fds + 4);
    leaks += report("direct memory", directBytes(), direct + (1 << 20));
    return leaks;
  }

  private static int report(String what, long now, long most) {
    System.out.printf("  %-45s %8d (at most %d)%n", what + " left", now, most);
    return now > most ? 1 : 0;
  }

  private static long openFiles() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
      return files.count();
    }
  }

  private static long directBytes() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct"))
        .mapToLong(BufferPoolMXBean::getMemoryUsed)
        .sum();
  }
}
