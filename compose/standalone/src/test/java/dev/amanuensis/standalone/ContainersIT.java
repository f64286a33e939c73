package dev.amanuensis.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.standalone.ContainerFleet.Ran;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Our image as compose runs it (not root, read-only, no capabilities) beside Kafka, a Schema
 * Registry and an object store in containers. Skipped where no Docker-compatible socket is found or
 * our image is not built; {@link ContainerFleet} says how images are named.
 */
@Tag("containers")
@ExtendWith(NeedsContainers.class)
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class ContainersIT {
  private static final int COPIES = 12;
  private static final Path LONG =
      Path.of("../../worker/src/test/resources/speech/long.flac").toAbsolutePath().normalize();

  @TempDir static Path audio;
  private static ContainerFleet fleet;

  @BeforeAll
  static void start() throws Exception {
    for (int i = 0; i < COPIES; i++) {
      Files.copy(Commands.JFK, audio.resolve("jfk-%02d.wav".formatted(i)));
    }
    audio.toFile().setReadable(true, false);
    audio.toFile().setExecutable(true, false);
    fleet = ContainerFleet.start(audio);
  }

  @AfterAll
  static void stop() {
    if (fleet != null) {
      fleet.close();
    }
  }

  @Test
  void killedWorkersJobsAreDoneByTheOther() throws Exception {
    CompletableFuture<Ran> submitted =
        CompletableFuture.supplyAsync(
            () -> fleet.command("submit", "--wait", "--timeout=300", "--directory", "/audio"));
    String victim = fleet.awaitBusyWorker();
    fleet.kill(victim);
    Ran ran = submitted.join();
    assertThat(ran.code()).as(ran.err()).isZero();
    assertThat(ran.out().split("ask what you can do for your country", -1)).hasSize(COPIES + 1);
    fleet.restart(victim);
  }

  @Test
  void largeAudioGoesThroughTheObjectStoreAndIsGoneAfterwards() throws Exception {
    CompletableFuture<HttpResponse<String>> answer = post(Files.readAllBytes(LONG));
    boolean seen = false;
    while (!answer.isDone()) {
      seen |= !fleet.storedClaims().isEmpty();
    }
    assertThat(answer.join().statusCode()).as(answer.join().body()).isEqualTo(200);
    assertThat(answer.join().body()).contains("Rachel");
    assertThat(seen).as("the audio was in the object store meanwhile").isTrue();
    for (int i = 0; !fleet.storedClaims().isEmpty() && i < 50; i++) {
      Thread.sleep(100); // removed after the answer
    }
    assertThat(fleet.storedClaims()).isEmpty();
  }

  @Test
  void containersAreNotRootAndWriteOnlyToTmpAndTheSpoolOnDisk() throws Exception {
    for (String script :
        List.of(
            "[ \"$(id -u)\" = 10001 ]",
            "! touch /opt/x 2>/dev/null",
            "[ \"$TMPDIR\" = /spool ] && touch /spool/x",
            "[ \"$(stat -f -c %T /spool)\" != tmpfs ]")) {
      assertThat(fleet.shell(script).code()).as(script).isZero();
    }
  }

  @Test
  void npuDoctorLooksAtEverythingThoughNothingCanBeWritten() throws Exception {
    Ran ran = fleet.command("npu", "doctor");
    assertThat(ran.out() + ran.err()).contains("/dev/accel").doesNotContain("can't unpack");
  }

  private static CompletableFuture<HttpResponse<String>> post(byte[] file) throws Exception {
    URI uri = URI.create(fleet.gatewayUrl() + "/v1/audio/transcriptions");
    return HttpClient.newHttpClient()
        .sendAsync(
            Multipart.form(HttpRequest.newBuilder(uri), file, "model", "whisper-1").build(),
            HttpResponse.BodyHandlers.ofString());
  }
}
