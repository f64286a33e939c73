package dev.amanuensis.worker.transcription;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.amanuensis.worker.job.TranscriptionOptions.Task;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class TokenizerTest {
  private static final String NON_SPEECH =
      """
      1 2 7 8 9 10 14 25 26 27 28 29 31 58 59 60 61 62 63 90 91 92 93 359 503 522 542 873 893 902 918 922 931
      1350 1853 1982 2460 2627 3246 3253 3268 3536 3846 3961 4183 4667 6585 6647 7273 9061 9383 10428 10929
      11938 12033 12331 12562 13793 14157 14635 15265 15618 16553 16604 18362 18956 20075 21675 22520 26130
      26161 26435 28279 29464 31650 32302 32470 36865 42863 47425 49870 50254
      """;

  private final Tokenizer tokenizer = TestTokenizer.base();

  @Test
  void encodesAsTheReference() {
    assertThat(
            tokenizer.encode(
                " And so my fellow Americans, ask not what your country can do for you, ask what you can"
                    + " do for your country."))
        .containsExactly(
            400, 370, 452, 7177, 6280, 11, 1029, 406, 437, 428, 1941, 393, 360, 337, 291, 11, 1029,
            437, 291, 393, 360, 337, 428, 1941, 13);
    assertThat(tokenizer.encode(" don't")).containsExactly(500, 380);
    assertThat(tokenizer.encode("日本語")).containsExactly(27311, 31348);
    assertThat(tokenizer.encode(" ")).containsExactly(220);
    assertThat(tokenizer.encode("")).isEmpty();
  }

  @Test
  void derivesTheSpecialTokens() {
    assertThat(tokenizer.size()).isEqualTo(51865);
    assertThat(tokenizer.eot()).isEqualTo(50257);
    assertThat(tokenizer.sot()).isEqualTo(50258);
    assertThat(tokenizer.startOfPrev()).isEqualTo(50361);
    assertThat(tokenizer.noSpeech()).isEqualTo(50362);
    assertThat(tokenizer.noTimestamps()).isEqualTo(50363);
    assertThat(tokenizer.timestampBegin()).isEqualTo(50364);
    assertThat(tokenizer.decodeWithTimestamps(50364, 50365, 51864))
        .isEqualTo("<|0.00|><|0.02|><|30.00|>");
  }

  @Test
  void knowsTheLanguagesInTheirOrder() {
    assertThat(tokenizer.languages())
        .hasSize(99)
        .startsWith("en", "zh", "de", "es", "ru", "ko", "fr", "ja")
        .endsWith("su");
    for (String code : tokenizer.languages()) {
      assertThat(Languages.code(Languages.name(code))).isEqualTo(code);
      assertThat(Languages.name(code)).isNotEqualTo(code);
    }
    assertThat(Languages.code("Castilian")).isEqualTo("es");
    assertThat(Languages.code(" EN ")).isEqualTo("en");
    assertThat(Languages.code("Haitian Creole")).isEqualTo("ht");
    assertThat(Languages.code("klingon")).isNull();
  }

  @Test
  void startsTranscriptsInLanguageAndTask() {
    assertThat(tokenizer.sotSequence("en", Task.TRANSCRIBE)).containsExactly(50258, 50259, 50359);
    assertThat(tokenizer.sotSequence("ja", Task.TRANSLATE)).containsExactly(50258, 50266, 50358);
  }

  @Test
  void suppressesTheNonSpeechTokens() {
    int[] expected =
        Arrays.stream(NON_SPEECH.strip().split("\\s+")).mapToInt(Integer::parseInt).toArray();
    assertThat(expected).hasSize(82);
    assertThat(tokenizer.nonSpeechTokens()).containsExactly(expected);
    int[] special = {50258, 50358, 50359, 50360, 50361, 50362};
    assertThat(tokenizer.suppressed(List.of(-1)))
        .hasSize(88)
        .containsExactly(WordSplitter.concat(expected, special));
    assertThat(tokenizer.suppressed(List.of())).containsExactly(special);
    assertThat(tokenizer.suppressed(List.of(5, 5, 50258)))
        .containsExactly(WordSplitter.concat(new int[] {5}, special));
  }

  @Test
  void splitsAtSpacesAndPunctuation() {
    assertThat(words("en", " I don't know, Mr. O'Neil."))
        .containsExactly(
            " I", " don't", " know", ",", " Mr", ".", " O", "'Neil", ".", "<|endoftext|>");
    assertThat(words("ja", "日本語。")).containsExactly("日本", "語", "。", "<|endoftext|>");
  }

  private List<String> words(String language, String text) {
    int[] tokens = WordSplitter.concat(tokenizer.encode(text), new int[] {tokenizer.eot()});
    return new WordSplitter(tokenizer, language)
        .split(tokens).stream().map(WordSplitter.Piece::text).toList();
  }

  @Test
  void agreesWithTheReferenceOnRandomText() throws IOException {
    WordSplitter spaces = new WordSplitter(tokenizer, "en");
    WordSplitter none = new WordSplitter(tokenizer, "ja");
    int n = 0;
    try (InputStream in = getClass().getResourceAsStream("/transcription/tokenizer_cases.json")) {
      for (JsonNode c : new ObjectMapper().readTree(in)) {
        String text = c.get("text").asText();
        assertThat(tokenizer.encode(text)).as(text).containsExactly(ints(c.get("encoded")));
        int[] ids = ints(c.get("ids"));
        assertThat(tokenizer.decode(ids)).isEqualTo(c.get("decoded").asText());
        assertThat(tokenizer.decodeWithTimestamps(ids))
            .isEqualTo(c.get("decoded_with_timestamps").asText());
        sameSplit(spaces, ints(c.get("words_of")), c.get("words"));
        sameSplit(none, ints(c.get("words_of")), c.get("characters"));
        n++;
      }
    }
    assertThat(n).isGreaterThanOrEqualTo(150);
  }

  private static void sameSplit(WordSplitter splitter, int[] tokens, JsonNode expected) {
    List<WordSplitter.Piece> pieces = splitter.split(tokens);
    assertThat(pieces).hasSameSizeAs(expected);
    for (int i = 0; i < pieces.size(); i++) {
      assertThat(pieces.get(i).text()).isEqualTo(expected.get(i).get(0).asText());
      assertThat(pieces.get(i).tokens()).containsExactly(ints(expected.get(i).get(1)));
    }
  }

  @Test
  void refusesWhatIsNoWhisperTokenizer() {
    for (String json :
        List.of(
            "",
            "[]",
            "{}",
            "{\"added_tokens\":[{\"id\":-4,\"content\":\"<|endoftext|>\"}]}",
            "{\"added_tokens\":[{\"id\":1,\"content\":\"<|endoftext|>\"}]}",
            "{\"model\":{\"vocab\":{\"a\":\"b\"}}}",
            "not json")) {
      byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
      assertThatThrownBy(() -> Tokenizer.read(new ByteArrayInputStream(bytes)))
          .as(json)
          .isInstanceOf(IOException.class);
    }
  }

  private static int[] ints(JsonNode array) {
    int[] values = new int[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = array.get(i).asInt();
    }
    return values;
  }
}
