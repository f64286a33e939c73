package dev.amanuensis.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.Partial;
import dev.amanuensis.schema.Status;
import dev.amanuensis.schema.Transcript;
import dev.amanuensis.schema.topic.Topics;
import dev.amanuensis.worker.config.Setting;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * A file of an hour whose worker is killed at half time. The device is simulated unless
 * -Dresume.audio names a recording: then the real model does it, and the times are told.
 */
@Timeout(3_600)
class LongJobResumeIT {
  private static final String AUDIO = System.getProperty("resume.audio", "");
  private static final Duration LIMIT = Duration.ofMinutes(AUDIO.isEmpty() ? 2 : 30);
  private static final int RATE = 8_000;
  private static final int SECONDS = 3_600;

  /** What the interruption may change: times, and who was at work how often. */
  private static final Set<String> MAY_DIFFER =
      Set.of("job_id", "worker", "attempt", "timings", "submitted_at", "completed_at");

  @TempDir(cleanup = CleanupMode.ON_SUCCESS)
  Path data;

  private TestCluster cluster;
  private Path audio;

  @BeforeEach
  void start() throws Exception {
    cluster = new TestCluster(data);
    audio = AUDIO.isEmpty() ? sweep(data.resolve("hour.wav")) : Path.of(AUDIO).toRealPath();
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  private WorkerProcess worker(String id) throws IOException {
    Map<String, String> settings = new HashMap<>(cluster.settings(id));
    settings.put(Setting.DEVICE.key(), AUDIO.isEmpty() ? "simulated" : "cpu");
    settings.put(Setting.SIMULATED_WINDOW_MICROS.key(), "60000");
    settings.put(Setting.ADMIN_PORT.key(), "off");
    settings.put(Setting.ALLOWED_ROOTS.key(), audio.getParent().toString());
    return new WorkerProcess(
        settings, data.resolve(id + ".log"), PipelineWorker.class, List.of("-Xmx512m"));
  }

  @Test
  void successorDoesWhatWasLeftAndTheTranscriptIsTheSame() throws Exception {
    Transcript whole;
    Transcript resumed;
    double wholeSeconds;
    double leftSeconds;
    double leftAtTheKill;
    try (WorkerProcess one = worker("one")) {
      submit("whole");
      long begun = System.nanoTime();
      whole = result("whole");
      wholeSeconds = (System.nanoTime() - begun) / 1e9;
      submit("killed");
      while (progress("killed") <= 0.5) {
        Thread.sleep(20);
      }
      one.kill();
      leftAtTheKill = 1 - progress("killed");
      begun = System.nanoTime();
      resumed = result("killed");
      leftSeconds = (System.nanoTime() - begun) / 1e9;
      assertThat(one.restarts()).isEqualTo(1);
    }
    System.out.printf(
        "%s: whole %.1f s; %.1f s after the kill at half time (%.0f %%)%n",
        audio.getFileName(), wholeSeconds, leftSeconds, 100 * leftSeconds / wholeSeconds);
    assertThat(whole.getStatus()).isEqualTo(Status.COMPLETED);
    assertThat(whole.getSegments()).hasSizeGreaterThan(100);
    assertThat(bytes(resumed)).isEqualTo(bytes(whole));
    // More than half was final when the worker was killed, and none of it was done again.
    List<Long> seeks = cluster.partials("killed").stream().map(Partial::getSeek).toList();
    assertThat(seeks).isSorted();
    assertThat(leftAtTheKill).isLessThan(0.5);
  }

  private void submit(String id) {
    AudioJob job = TestCluster.job(id, new byte[0]);
    job.setAudio(null);
    job.setAudioUri(audio.toUri().toString());
    job.setLanguage("en");
    job.setSubmittedAt(Instant.now());
    cluster.submit(Topics.JOBS, job);
    cluster.flush();
  }

  private Transcript result(String id) throws InterruptedException {
    List<Transcript> results = cluster.await(id, 1, LIMIT);
    assertThat(results).hasSize(1);
    return results.get(0);
  }

  /** Share of the file that is final, by what is published of it. */
  private double progress(String id) {
    return cluster.partials(id).stream()
        .mapToDouble(p -> (double) p.getSeek() / p.getContentFrames())
        .max()
        .orElse(0);
  }

  /** All of it that must not depend on an interruption, as Avro writes it. */
  private static String bytes(Transcript t) {
    Transcript same = Transcript.newBuilder(t).build();
    for (var field : Transcript.SCHEMA$.getFields()) {
      if (MAY_DIFFER.contains(field.name())) {
        same.put(field.pos(), field.name().equals("attempt") ? 0 : null);
      }
    }
    return same.toString();
  }

  /** An hour of a tone that rises: every window is another one. */
  private static Path sweep(Path file) throws IOException {
    int samples = RATE * SECONDS;
    ByteBuffer header = ByteBuffer.allocate(44).order(ByteOrder.LITTLE_ENDIAN);
    header.put("RIFF".getBytes(StandardCharsets.US_ASCII)).putInt(36 + samples);
    header.put("WAVEfmt ".getBytes(StandardCharsets.US_ASCII)).putInt(16);
    header.putShort((short) 1).putShort((short) 1).putInt(RATE).putInt(RATE);
    header.putShort((short) 1).putShort((short) 8);
    header.put("data".getBytes(StandardCharsets.US_ASCII)).putInt(samples);
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16)) {
      out.write(header.array());
      double phase = 0;
      for (int i = 0; i < samples; i++) {
        phase += 2 * Math.PI * (100 + 3_000.0 * i / samples) / RATE;
        out.write((int) (128 + 60 * Math.sin(phase)));
      }
    }
    return file.toRealPath();
  }
}
