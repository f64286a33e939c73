package dev.amanuensis.worker.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.engine.Profile;
import dev.amanuensis.worker.evaluation.EnglishNormalizer;
import dev.amanuensis.worker.evaluation.Wer;
import dev.amanuensis.worker.job.AudioSource;
import dev.amanuensis.worker.job.Chunking;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobListener;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.Progress;
import dev.amanuensis.worker.job.Segment;
import dev.amanuensis.worker.job.TestOptions;
import dev.amanuensis.worker.job.TranscriptionOptions;
import dev.amanuensis.worker.job.TranscriptionResult;
import dev.amanuensis.worker.job.Word;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A long file in chunks side by side, and a short one behind it, with the real model. */
class ChunkingIT {
  /**
   * Different windows alone change some words, and so does fast: 21 (VAD) and 14 (FIXED) of 310 on
   * AVX2, where the sequential fast text has 4. A chunk lost at a cut would change more.
   */
  private static final double MOST_DRIFT = 0.08;

  private static Golden golden;
  private static byte[] file;

  @BeforeAll
  static void open() throws Exception {
    golden = new Golden(Profile.FAST);
    file = Files.readAllBytes(Golden.SPEECH.resolve("long.flac"));
  }

  @AfterAll
  static void close() {
    golden.close();
  }

  private static TranscriptionOptions options(Chunking chunking, boolean words) {
    return Golden.options(words).with(List.of(), chunking);
  }

  private static TranscriptionResult transcribe(TranscriptionOptions options) throws Exception {
    JobResult result = golden.submit(file, options).get(5, TimeUnit.MINUTES);
    assertThat(result.status()).as(result.errorMessage()).isEqualTo(JobResult.Status.COMPLETED);
    return result.transcription();
  }

  @ParameterizedTest
  @EnumSource(
      value = Chunking.class,
      names = {"VAD", "FIXED"})
  void noWordIsLostOrDoubledAndTimesAreThoseOfTheFile(Chunking chunking) throws Exception {
    TranscriptionResult chunked = transcribe(options(chunking, true));
    String reference = golden.transcripts.get("long.flac").get("plain").get("text").asText();
    Wer wer = new Wer(new EnglishNormalizer());
    wer.add(reference, chunked.text());
    System.out.printf(
        "long.flac, %s: %d of %d words differ from the sequential fp32 text%n",
        chunking, wer.edits(), wer.referenceWords());
    assertThat(wer.rate()).isLessThan(MOST_DRIFT);

    double last = 0;
    long seek = -1;
    for (int i = 0; i < chunked.segments().size(); i++) {
      Segment segment = chunked.segments().get(i);
      assertThat(segment.id()).isEqualTo(i);
      assertThat(segment.seek()).isGreaterThanOrEqualTo(seek);
      seek = segment.seek();
      assertThat(segment.start()).isGreaterThanOrEqualTo(seek / 100.0 - 0.01);
      for (Word word : segment.words()) {
        assertThat(word.start()).isGreaterThanOrEqualTo(last - 0.021);
        assertThat(word.end()).isGreaterThanOrEqualTo(word.start());
        last = word.end();
      }
    }
    assertThat(last).isBetween(110.0, chunked.durationSeconds() + 0.5);
  }

  /** faster-whisper's batched mode takes the first temperature whatever comes of it. */
  @Test
  void chunksThatFailTheirThresholdAreRetriedAndTheOthersAreNot() throws Exception {
    TranscriptionResult first = transcribe(options(Chunking.VAD, false));
    double[] sure =
        first.segments().stream().mapToDouble(Segment::avgLogprob).distinct().sorted().toArray();
    assertThat(sure.length).as("chunks").isGreaterThanOrEqualTo(4);
    int half = sure.length / 2; // the less probable ones fail it
    double threshold = (sure[half - 1] + sure[half]) / 2;
    TestOptions strict = new TestOptions();
    strict.language = null;
    strict.chunking = Chunking.VAD;
    strict.temperatures = List.of(0f, 0.4f);
    strict.compressionRatioThreshold = null;
    strict.logprobThreshold = threshold;
    List<Segment> retried = transcribe(strict.build()).segments();
    double[] temperatures =
        retried.stream().mapToDouble(Segment::temperature).distinct().sorted().toArray();
    assertThat(temperatures).containsExactly(0.0, 0.4);
    for (Segment segment : retried) {
      if (segment.temperature() == 0) {
        assertThat(segment.avgLogprob()).isGreaterThanOrEqualTo(threshold);
      }
    }
  }

  @Test
  void onlyTheClipsOfAChunkedJobAreTranscribed() throws Exception {
    TranscriptionOptions clips =
        options(Chunking.VAD, false).with(List.of(20.0, 45.0, 60.0, 100.0), Chunking.VAD);
    for (Segment segment : transcribe(clips).segments()) {
      boolean inside =
          (segment.start() >= 20 && segment.end() <= 45.01)
              || (segment.start() >= 60 && segment.end() <= 100.01);
      assertThat(inside).as("%s to %s", segment.start(), segment.end()).isTrue();
    }
  }

  /** A long job of the given kind; counts its windows where it is sequential. */
  private static CompletableFuture<JobResult> submitLong(
      TranscriptionOptions options, AtomicInteger windows) {
    CompletableFuture<JobResult> done = new CompletableFuture<>();
    Job job =
        new Job(
            "long",
            new AudioSource.Inline(ByteBuffer.wrap(file), null),
            null,
            options,
            0,
            null,
            Instant.now(),
            Map.of());
    JobListener listener =
        new JobListener() {
          @Override
          public void done(JobResult result) {
            done.complete(result);
          }

          @Override
          public void progressed(Progress progress) {
            windows.incrementAndGet();
          }
        };
    assertThat(golden.pipeline.tryAdmit(job, null, listener)).isNotNull();
    return done;
  }

  @Test
  void aShortJobBehindALongOneWaitsForAboutOneWindow() throws Exception {
    AtomicInteger windows = new AtomicInteger();
    CompletableFuture<JobResult> slow = submitLong(options(Chunking.NONE, false), windows);
    while (windows.get() == 0) {
      Thread.sleep(5);
    }
    int before = windows.get();
    golden.submit("jfk.wav", false).get(1, TimeUnit.MINUTES);
    assertThat(windows.get() - before).isLessThanOrEqualTo(3); // its own two, and the one before
    assertThat(slow).isNotDone();
    slow.get(5, TimeUnit.MINUTES);
  }

  @Test
  void aShortJobDoesNotWaitForTheChunksOfALongOne() throws Exception {
    CompletableFuture<JobResult> slow =
        submitLong(options(Chunking.VAD, false), new AtomicInteger());
    CompletableFuture<JobResult> quick = golden.submit("jfk.wav", false);
    quick.get(1, TimeUnit.MINUTES);
    assertThat(slow).isNotDone();
    assertThat(slow.get(5, TimeUnit.MINUTES).transcription().text()).contains("Rachel");
  }
}
