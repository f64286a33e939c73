package dev.amanuensis.worker.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NormalizerTest {
  private final TextNormalizer english = new EnglishNormalizer();

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      textBlock =
          """
          thirty one,                                     31
          five twenty four,                               524
          nineteen ninety nine,                           1999
          twenty nineteen,                                2019
          two point five million,                         2500000
          four point two billions,                        4200000000s
          £77 thousands,                                  £77000s
          two double o eight,                             2008
          forty three thousand two hundred and sixty,     43260
          nineteen fifties,                               1950s
          july third twenty twenty,                       july 3rd 2020
          3 point 14,                                     3.14
          seventy six per cent,                           76%
          one triple oh one,                              10001
          minus 500,                                      -500
          two dollars and seventy cents,                  $2.70
          $0.36,                                          ¢36
          forty eight and a half dollars,                 $48.5
          b747,                                           b 747
          10 th,                                          10th
          she's been like,                                she has been like
          10km,                                           10 km
          Mr. Park visited Assoc. Prof. Kim Jr.,          mister park visited associate professor kim junior
          """)
  void englishIsWrittenInOneWay(String text, String expected) {
    assertThat(english.normalize(text)).isEqualTo(expected);
  }

  @Test
  void agreesWithTheReferenceOnRandomText() throws IOException {
    TextNormalizer basic = new BasicNormalizer();
    TextNormalizer bare = new BasicNormalizer(true, false);
    TextNormalizer letters = new BasicNormalizer(false, true);
    int n = 0;
    try (InputStream in = getClass().getResourceAsStream("/evaluation/normalizer_cases.json")) {
      for (JsonNode c : new ObjectMapper().readTree(in)) {
        String text = c.get(0).asText();
        assertThat(english.normalize(text)).as(text).isEqualTo(c.get(1).asText());
        assertThat(basic.normalize(text)).as(text).isEqualTo(c.get(2).asText());
        assertThat(bare.normalize(text)).as(text).isEqualTo(c.get(3).asText());
        assertThat(letters.normalize(text)).as(text).isEqualTo(c.get(4).asText());
        n++;
      }
    }
    assertThat(n).isGreaterThanOrEqualTo(300);
  }

  @Test
  void spellingsAreAppliedToWholeWords() {
    TextNormalizer american = new EnglishNormalizer(Map.of("colour", "color"));
    assertThat(american.normalize("Colour, discolour")).isEqualTo("color discolour");
  }
}
