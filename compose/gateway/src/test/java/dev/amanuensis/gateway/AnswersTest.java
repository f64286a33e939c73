package dev.amanuensis.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import dev.amanuensis.schema.Status;
import dev.amanuensis.schema.Task;
import dev.amanuensis.schema.Transcript;
import dev.amanuensis.schema.serde.TrustedClasses;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AnswersTest {
  @BeforeAll
  static void trust() {
    TrustedClasses.register();
  }

  private static JsonNode verbose(Task task, String language) throws Exception {
    TranscriptionForm form =
        TranscriptionForm.of(
            task,
            Map.of("model", List.of("whisper-1"), "response_format", List.of("verbose_json")),
            null);
    Transcript transcript =
        Transcript.newBuilder()
            .setJobId("id")
            .setStatus(Status.COMPLETED)
            .setLanguage(language)
            .setText(" text")
            .build();
    return Answers.JSON.readTree(
        Answers.of(transcript, form, Map.of("my", "myanmar", "de", "german")::get).body());
  }

  @Test
  void languagesHaveTheNamesThatWhisperGivesThem() throws Exception {
    assertThat(verbose(Task.TRANSCRIBE, "my").get("language").asText()).isEqualTo("myanmar");
  }

  @Test
  void translationIsInEnglishWhateverWasSpoken() throws Exception {
    JsonNode answer = verbose(Task.TRANSLATE, "de");
    assertThat(answer.get("language").asText()).isEqualTo("english");
    assertThat(answer.get("task").asText()).isEqualTo("translate");
  }

  @ParameterizedTest
  @CsvSource({
    "FAILED,AUDIO_UNREADABLE,400",
    "FAILED,INTERNAL,500",
    "EXPIRED,DEADLINE_EXCEEDED,504",
  })
  void jobThatFailedForGoodIsNotToBeSentAgain(Status status, String code, int http) {
    Transcript failed =
        Transcript.newBuilder().setJobId("id").setStatus(status).setErrorCode(code).build();
    ApiException e = catchThrowableOfType(ApiException.class, () -> Answers.failIfFailed(failed));
    assertThat(e.status()).isEqualTo(http);
    assertThat(e.isLast()).isTrue();
  }
}
