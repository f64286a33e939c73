package dev.amanuensis.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/** A transcription's server-sent events, as OpenAI's clients read them. */
final class Events {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Events() {}

  /** The text of the last event, which the others must add up to. */
  static String text(String events) throws JsonProcessingException {
    StringBuilder text = new StringBuilder();
    String whole = null;
    for (String line : events.lines().filter(l -> l.startsWith("data: ")).toList()) {
      JsonNode event = JSON.readTree(line.substring(6));
      if (event.get("type").asText().equals("transcript.text.delta")) {
        text.append(event.get("delta").asText());
      } else {
        assertThat(event.get("type").asText()).isEqualTo("transcript.text.done");
        whole = event.get("text").asText();
      }
    }
    assertThat(whole).isEqualTo(text.toString());
    return whole;
  }
}
