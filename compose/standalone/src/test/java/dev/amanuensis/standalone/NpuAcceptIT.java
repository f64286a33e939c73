package dev.amanuensis.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.jna.NativeLibrary;
import dev.amanuensis.cli.terminal.Terminal;
import dev.amanuensis.engine.NpuDevice;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The acceptance over the fake XRT: a healthy device is accepted, and no other. */
class NpuAcceptIT {
  private static final Path NATIVE = Path.of("../../native").toAbsolutePath().normalize();
  private static final Path XRT = NATIVE.resolve("target/native/xrt_fake/libxrt_coreutil.so.2");

  @TempDir Path artifacts;
  @TempDir Path speech;
  @TempDir Path reports;

  @BeforeEach
  void prepare() throws Exception {
    assumeTrue(
        NpuDevice.backend().isPresent() && Files.isRegularFile(XRT),
        "built without XRT's headers: there is no backend to test");
    faults("");
    Process made =
        new ProcessBuilder(
                NATIVE.resolve("src/test/xrt_fake/make-artifacts").toString(), artifacts.toString())
            .start();
    assertThat(made.waitFor()).isZero();
  }

  @AfterEach
  void mend() {
    if (Files.isRegularFile(XRT)) {
      faults("release:-1");
    }
  }

  /** In this process, from now on. */
  private static void faults(String faults) {
    NativeLibrary.getInstance(XRT.toString())
        .getFunction("xrt_fake_faults")
        .invoke(void.class, new Object[] {faults});
  }

  /** One file of the project's speech, and what is to become of it. */
  private void oneFile() throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode golden = mapper.createObjectNode();
    golden.set("jfk.wav", mapper.readTree(Commands.GOLDEN.toFile()).get("jfk.wav"));
    Files.createDirectories(speech.resolve("golden"));
    mapper.writeValue(speech.resolve("golden/transcripts.json").toFile(), golden);
    Files.copy(Commands.JFK, speech.resolve("jfk.wav"));
  }

  /** Something goes wrong once a step has begun. */
  private static final class Saboteur extends ByteArrayOutputStream {
    private final String when;
    private final String faults;
    private boolean done;

    Saboteur(String when, String faults) {
      this.when = when;
      this.faults = faults;
    }

    @Override
    public void flush() {
      if (!done && toString(StandardCharsets.UTF_8).contains(when)) {
        done = true;
        faults(faults);
      }
    }
  }

  private NpuAcceptance acceptance(ByteArrayOutputStream out) {
    return new NpuAcceptance(
        new Terminal(out, out, false, false, false),
        artifacts,
        XRT,
        speech,
        new NpuAcceptance.Effort(2, 1, Duration.ofSeconds(2)),
        false,
        new AcceptanceReport(reports.resolve("report.json")));
  }

  private JsonNode report() throws IOException {
    return new ObjectMapper().readTree(reports.resolve("report.json").toFile());
  }

  @Test
  void aHealthyDeviceIsAccepted() throws Exception {
    oneFile();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    List<String> reasons = acceptance(out).run(List::of);
    assertThat(reasons).as(out.toString(StandardCharsets.UTF_8)).isEmpty();
    JsonNode report = report();
    assertThat(report.get("passed").asBoolean()).isTrue();
    assertThat(report.has("unfinished")).isFalse();
    JsonNode soak = report.get("soak");
    assertThat(soak.get("windows").asLong()).isPositive();
    assertThat(soak.get("products").asLong())
        .isEqualTo(soak.get("windows").asLong() * NpuVerdict.PRODUCTS_PER_WINDOW);
    assertThat(soak.get("duty_in_bursts").asDouble()).isBetween(0.01, 1.01);
    JsonNode there = report.get("transcripts_statistics");
    assertThat(there.get("products").asLong())
        .isEqualTo(there.get("windows").asLong() * NpuVerdict.PRODUCTS_PER_WINDOW);
  }

  @ParameterizedTest
  @CsvSource({
    "wrong:1, 1 products with wrong sums",
    "eio:1, EXEC_CMD",
    "hang:1, no answer within",
    "eio:-1, products computed by the CPU"
  })
  void aDeviceWhoseWorkTheCpuDidIsNotAccepted(String fault, String reason) throws Exception {
    ByteArrayOutputStream out = new Saboteur("== soak", fault);
    List<String> reasons = acceptance(out).run(List::of);
    List<String> soak = reasons.stream().filter(r -> r.startsWith("soak: ")).toList();
    String text = out.toString(StandardCharsets.UTF_8);
    assertThat(soak).as(text).anyMatch(r -> r.contains(reason));
    assertThat(soak).as("its bits are right all the same").noneMatch(r -> r.contains("differ"));
    assertThat(report().get("passed").asBoolean()).isFalse();
    assertThat(report().get("not_accepted_because").toString()).contains(reason);
  }

  @Test
  void aDeviceThatFailsUnderTheTranscriptsIsNotAccepted() throws Exception {
    oneFile();
    List<String> reasons = acceptance(new Saboteur("== transcripts", "hwctx:-1")).run(List::of);
    assertThat(reasons).singleElement().asString().startsWith("transcripts: ").contains("HWCTX");
  }

  @Test
  void theReportSurvivesWhatEndsTheRun() {
    NpuAcceptance broken = acceptance(new ByteArrayOutputStream());
    assertThatThrownBy(
            () ->
                broken.run(
                    () -> {
                      assertThat(report().get("unfinished").asText()).isEqualTo("doctor");
                      throw new IOException("the model is missing");
                    }))
        .hasMessage("the model is missing");
    assertThat(reports.resolve("report.json"))
        .content()
        .contains("the model is missing", "\"passed\" : false");
  }
}
