package dev.amanuensis.worker.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.worker.intake.IntakeCampaign;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Short runs, in JVMs of their own, from the corpus in src/test/fuzz: each target coverage-guided
 * with Jazzer, and the campaign, which alone gives audio to FFmpeg. docs/security.md tells how to
 * run them for longer.
 */
class FuzzIT {
  private static final int SECONDS = Integer.getInteger("fuzz.seconds", 5);

  /** An eighth of them is audio, of which each costs a process. */
  private static final int CAMPAIGN = 800;

  private static final Path CORPUS = Path.of("src/test/fuzz");
  private static final Pattern RUNS = Pattern.compile("Done (\\d+) runs");

  /** Class and folder of its seeds. */
  private static final List<String[]> TARGETS =
      List.of(
          new String[] {"dev.amanuensis.worker.intake.JobRecordFuzz", "record"},
          new String[] {"dev.amanuensis.worker.intake.HeadersFuzz", "header"},
          new String[] {"dev.amanuensis.worker.source.WavFuzz", "wav"},
          new String[] {"dev.amanuensis.worker.source.reference.UriFuzz", "uri"},
          new String[] {"dev.amanuensis.worker.transcription.TokenizerFuzz", "tokenizer"},
          new String[] {"dev.amanuensis.model.ModelFileFuzz", "modelfile"});

  @TempDir Path directory;

  @Test
  void noInputFindsAWayThatWeDidNotForesee() throws Exception {
    // Two at a time: starting takes as long as fuzzing.
    ExecutorService two = Executors.newFixedThreadPool(2);
    try {
      List<Callable<Long>> runs = new ArrayList<>();
      TARGETS.forEach(t -> runs.add(() -> fuzz(t[0], CORPUS.resolve(t[1]))));
      long total = 0;
      for (Future<Long> run : two.invokeAll(runs)) {
        total += run.get();
      }
      System.out.printf("fuzzed %d inputs in %d targets%n", total, TARGETS.size());
    } finally {
      two.shutdownNow();
    }
  }

  @Test
  void campaignEndsWithoutCrashesHangsAndLeaks() throws Exception {
    String said =
        java(
            "campaign",
            600,
            IntakeCampaign.class.getName(),
            CORPUS.toAbsolutePath().toString(),
            Integer.toString(CAMPAIGN),
            "1");
    assertThat(said).contains("audio: decoded", "0 crashes, 0 hangs, 0 leaks");
    said.lines().filter(l -> l.contains(" inputs in ")).forEach(System.out::println);
  }

  /** Runs a main class with its arguments to a good end in a JVM of its own: what it printed. */
  private String java(String name, long seconds, String... mainAndArguments)
      throws IOException, InterruptedException {
    Path log = directory.resolve(name + ".log");
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                classPath()));
    command.addAll(List.of(mainAndArguments));
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    try {
      assertThat(process.waitFor(seconds, TimeUnit.SECONDS)).as(name).isTrue();
    } finally {
      process.destroyForcibly();
    }
    String said = Files.readString(log);
    assertThat(process.exitValue()).as(said).isZero();
    return said;
  }

  /** Ours without JUnit, which Jazzer would look for tests in. */
  private static String classPath() {
    String all =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    return Arrays.stream(all.split(File.pathSeparator))
        .filter(entry -> !entry.contains("/org/junit/"))
        .collect(Collectors.joining(File.pathSeparator));
  }

  private long fuzz(String target, Path seeds) throws IOException, InterruptedException {
    assertThat(seeds).isNotEmptyDirectory();
    Path found = Files.createDirectories(directory.resolve(target));
    String said =
        java(
            target,
            SECONDS + 600,
            "com.code_intelligence.jazzer.Jazzer",
            "--target_class=" + target,
            "--instrumentation_includes=dev.amanuensis.**",
            "--hooks=false", // instrumenting every library takes longer than this run
            "--reproducer_path=" + found,
            "-artifact_prefix=" + found + "/",
            "-max_total_time=" + SECONDS,
            "-timeout=30",
            // It would count the peak of the JVM that starts this one; the heap is bounded.
            "-rss_limit_mb=0",
            "-max_len=4096",
            found.toString(),
            seeds.toAbsolutePath().toString());
    Matcher runs = RUNS.matcher(said);
    assertThat(runs.find()).as(said).isTrue();
    long count = Long.parseLong(runs.group(1));
    assertThat(count).as(said).isGreaterThan(100);
    System.out.printf("%s: %d inputs%n", target, count);
    return count;
  }
}
