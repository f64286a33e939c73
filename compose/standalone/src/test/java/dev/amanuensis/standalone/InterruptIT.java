package dev.amanuensis.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.cli.ExitCodes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ctrl-C while {@code transcribe} is at work. */
class InterruptIT {
  private static final Path LONG =
      Path.of("../../worker/src/test/resources/speech/long.flac").toAbsolutePath().normalize();

  @TempDir Path temporary;

  @Test
  void nothingIsLeftBehind() throws Exception {
    Process process =
        new ProcessBuilder(
                List.of(
                    // A build in the background of a shell inherits SIGINT ignored, and so would
                    // Java.
                    "env",
                    "--default-signal=INT",
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-XX:TieredStopAtLevel=1",
                    "-XX:-UsePerfData",
                    "-Djava.io.tmpdir=" + temporary,
                    "-cp",
                    System.getProperty("java.class.path"),
                    Main.class.getName(),
                    "transcribe",
                    "--profile=reference",
                    "-",
                    LONG.toString()))
            .redirectInput(Commands.JFK.toFile())
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      // Two files, so both the copy of standard input and the fleet's data are there.
      long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
      while (entries() < 2) {
        assertThat(System.nanoTime()).as("waited for the start").isLessThan(deadline);
        Thread.sleep(50);
      }
      Thread.sleep(1_000); // somewhere in the start, or at work
      new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
      assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).isEqualTo(ExitCodes.INTERRUPTED);
      assertThat(entries()).isZero();
    } finally {
      process.destroyForcibly();
    }
  }

  private long entries() throws Exception {
    try (Stream<Path> all = Files.list(temporary)) {
      return all.count();
    }
  }
}
