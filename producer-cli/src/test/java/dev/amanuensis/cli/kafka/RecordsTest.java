package dev.amanuensis.cli.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.Segment;
import dev.amanuensis.schema.Status;
import dev.amanuensis.schema.Transcript;
import dev.amanuensis.schema.Word;
import dev.amanuensis.schema.serde.TrustedClasses;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.UUID;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordsTest {
  private static final String SHA256_OF_ABC =
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  private static final JobOptions OPTIONS =
      new JobOptions(
          "fr",
          JobOptions.Task.TRANSLATE,
          true,
          "Prompt",
          List.of(0f),
          5,
          3,
          false,
          OptionalDouble.empty(),
          OptionalDouble.of(-0.5),
          OptionalDouble.of(0.6),
          2.0,
          List.of(1.0, 2.0),
          JobOptions.Chunking.VAD);

  @TempDir Path directory;

  @BeforeAll
  static void trust() {
    TrustedClasses.register();
  }

  @Test
  void inlineJobCarriesBytesHashAndOptions() throws Exception {
    Path file = Files.writeString(directory.resolve("a b.wav"), "abc");
    AudioJob job = JobRecords.inline("id", file, file, "audio/wav", OPTIONS);
    assertThat(job.getAudio()).isEqualTo(ByteBuffer.wrap("abc".getBytes()));
    assertThat(job.getAudioUri()).isNull();
    assertThat(job.getAudioSha256()).isEqualTo(SHA256_OF_ABC);
    assertThat(job.getMetadata()).isEqualTo(Map.of("file", file.toString()));
    assertThat(job.getLanguage()).isEqualTo("fr");
    assertThat(job.getTask().name()).isEqualTo("TRANSLATE");
    assertThat(job.getCompressionRatioThreshold()).isNaN();
    assertThat(job.getLogprobThreshold()).isEqualTo(-0.5);
    assertThat(job.getConditionOnPreviousText()).isFalse();
    assertThat(job.getClipTimestamps()).containsExactly(1.0, 2.0);
    assertThat(job.getBeamSize()).isEqualTo(5);
    assertThat(job.getBestOf()).isEqualTo(3);
    assertThat(job.getChunking().name()).isEqualTo("VAD");
  }

  @Test
  void referenceIsAUriThatLeadsBackToTheFile() throws Exception {
    Path file = Files.writeString(directory.resolve("ä b.wav"), "abc");
    String uri = file.toUri().toString();
    AudioJob job = JobRecords.reference("id", Path.of("-"), file, uri, null, OPTIONS);
    assertThat(job.getMetadata()).isEqualTo(Map.of("file", "-"));
    assertThat(job.getAudio()).isNull();
    assertThat(Path.of(java.net.URI.create(job.getAudioUri()))).isEqualTo(file.toRealPath());
    assertThat(job.getAudioSha256()).isEqualTo(SHA256_OF_ABC);
  }

  @Test
  void idsAreVersion7AndSortByTime() {
    UUID early = JobIds.of(1_000, -1, -1);
    UUID late = JobIds.of(1_001, 0, 0);
    assertThat(early.version()).isEqualTo(7);
    assertThat(early.variant()).isEqualTo(2);
    assertThat(early.toString()).isLessThan(late.toString());
  }

  @Test
  void transcriptBecomesADocumentWithItsFile() {
    Transcript transcript = transcript(Map.of("file", "talk.wav"), word(" Hi"));
    Outcome outcome = Outcomes.of(transcript);
    assertThat(outcome.completed()).isTrue();
    assertThat(outcome.document().file()).isEqualTo("talk.wav");
    assertThat(outcome.document().hasWords()).isTrue();
    assertThat(outcome.document().segments().get(0).words().get(0).word()).isEqualTo(" Hi");
  }

  @Test
  void transcriptWithoutWordsHasNone() {
    Outcome outcome = Outcomes.of(transcript(Map.of()));
    assertThat(outcome.file()).isEqualTo("id");
    assertThat(outcome.document().hasWords()).isFalse();
  }

  @Test
  void failureSaysFileCodeAndMessage() {
    Transcript transcript = transcript(Map.of("file", "a.wav"));
    transcript.setStatus(Status.FAILED);
    transcript.setErrorCode("AUDIO_EMPTY");
    transcript.setErrorMessage("no bytes");
    assertThat(Outcomes.of(transcript).failure()).isEqualTo("a.wav: AUDIO_EMPTY: no bytes");
    assertThat(Outcomes.of(transcript).invalidOption()).isFalse();
    transcript.setErrorCode("INVALID_OPTION");
    assertThat(Outcomes.of(transcript).invalidOption()).isTrue();
  }

  private static Transcript transcript(Map<String, String> metadata, Word... words) {
    Segment segment =
        Segment.newBuilder().setText(" Hi").setWords(List.of(words)).setTokens(List.of(1)).build();
    return Transcript.newBuilder()
        .setJobId("id")
        .setStatus(Status.COMPLETED)
        .setLanguage("en")
        .setSegments(List.of(segment))
        .setMetadata(metadata)
        .build();
  }

  private static Word word(String text) {
    return Word.newBuilder().setWord(text).build();
  }
}
