package dev.amanuensis.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.Task;
import dev.amanuensis.schema.serde.TrustedClasses;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TranscriptionFormTest {
  @BeforeAll
  static void trust() {
    TrustedClasses.register();
  }

  private static Map<String, List<String>> fields(String... pairs) {
    Map<String, List<String>> fields = new HashMap<>(Map.of("model", List.of("whisper-1")));
    for (int i = 0; i < pairs.length; i += 2) {
      fields.put(pairs[i], List.of(pairs[i + 1]));
    }
    return fields;
  }

  private static TranscriptionForm form(String... pairs) {
    return TranscriptionForm.of(Task.TRANSCRIBE, fields(pairs), null);
  }

  @Test
  void aPlainRequestBecomesAJobWithOpenAisFallback() {
    TranscriptionForm form = form("language", "EN", "prompt", "names");
    AudioJob job = form.job("a.mp3", "audio/mpeg");
    assertThat(UUID.fromString(job.getJobId()).version()).isEqualTo(7);
    assertThat(job.getLanguage()).isEqualTo("en");
    assertThat(job.getInitialPrompt()).isEqualTo("names");
    assertThat(job.getTemperatures()).containsExactly(0f, 0.2f, 0.4f, 0.6f, 0.8f, 1f);
    assertThat(job.getWordTimestamps()).isFalse();
    assertThat(form.format()).isEqualTo(TranscriptionForm.Format.JSON);
  }

  @Test
  void aGivenTemperatureIsTheFirstThatIsTried() {
    assertThat(form("temperature", "0.5").job("a", null).getTemperatures())
        .containsExactly(0.5f, 0.7f, 0.9f);
    assertThat(form("temperature", "1").job("a", null).getTemperatures()).containsExactly(1f);
  }

  @Test
  void wordsAreAlignedOnlyWhenAskedForInVerboseJson() {
    Map<String, List<String>> fields = fields("response_format", "verbose_json");
    fields.put("timestamp_granularities[]", List.of("word", "segment"));
    TranscriptionForm form = TranscriptionForm.of(Task.TRANSCRIBE, fields, null);
    assertThat(form.words()).isTrue();
    assertThat(form.segments()).isTrue();
    assertThat(form.job("a", null).getWordTimestamps()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "response_format, xml, response_format",
    "temperature, 2, temperature",
    "temperature, warm, temperature",
    "stream, perhaps, stream",
    "timestamp_granularities[], word, verbose_json",
    "timestamp_granularities[], letter, letter",
  })
  void whatCantBeIsRefusedByName(String field, String value, String named) {
    ApiException e = catchThrowableOfType(ApiException.class, () -> form(field, value));
    assertThat(e.status()).isEqualTo(400);
    assertThat(e).hasMessageContaining(named);
  }

  @Test
  void anUnknownModelIsNotFound() {
    ApiException e =
        catchThrowableOfType(ApiException.class, () -> form("model", "gpt-4o-transcribe"));
    assertThat(e.status()).isEqualTo(404);
    assertThat(e).hasMessageContaining("whisper-1");
  }

  @Test
  void aClientsOwnIdMustCarryItsTime() {
    String own = "01890a5d-ac96-774b-bcce-b302099a8057";
    assertThat(TranscriptionForm.of(Task.TRANSLATE, fields(), own).jobId()).isEqualTo(own);
    String random = UUID.randomUUID().toString();
    for (String bad : List.of(random, "1", own + "0")) {
      ApiException e =
          catchThrowableOfType(
              ApiException.class, () -> TranscriptionForm.of(Task.TRANSLATE, fields(), bad));
      assertThat(e.status()).as(bad).isEqualTo(400);
    }
  }
}
