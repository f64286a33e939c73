package dev.amanuensis.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.encoder.Encoder;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.slf4j.event.KeyValuePair;

/** What a line of the log looks like. */
class LogSetupTest {
  private static final LoggerContext CONTEXT = new LoggerContext();

  private static String line(LogSetup.Format format, String message, Map<String, String> mdc) {
    Encoder<ILoggingEvent> encoder = format.encoder(CONTEXT);
    LoggingEvent event =
        new LoggingEvent(
            "x",
            CONTEXT.getLogger("dev.amanuensis.worker.Worker"),
            Level.INFO,
            "{}",
            null,
            new Object[] {message});
    event.setMDCPropertyMap(mdc);
    event.addKeyValuePair(new KeyValuePair("total_ms", 12.5));
    return new String(encoder.encode(event), StandardCharsets.UTF_8);
  }

  @Test
  void textShowsTheJobAtTheEndOfTheLine() {
    assertThat(line(LogSetup.Format.TEXT, "hello", Map.of("job_id", "j-1")))
        .endsWith("INFO  d.a.worker.Worker - hello [j-1]\n");
    assertThat(line(LogSetup.Format.TEXT, "hello", Map.of())).endsWith(" - hello\n");
  }

  @Test
  void whatCameFromOutsideForgesNoLine() {
    String line =
        line(LogSetup.Format.TEXT, "a\r\n00:00 ERROR forged", Map.of("job_id", "j\n00:00 ERROR x"));
    assertThat(line).hasLineCount(1).contains("a??00:00");
    assertThat(line(LogSetup.Format.JSON, "a\n{\"level\":\"ERROR\"}", Map.of("job_id", "j\n")))
        .hasLineCount(1);
  }

  @Test
  void jsonCarriesTheJobItsTraceAndTheFigures() throws Exception {
    JsonNode node =
        new ObjectMapper()
            .readTree(
                line(LogSetup.Format.JSON, "done", Map.of("job_id", "j\"1", "trace_id", "4bf9")));
    assertThat(node.path("level").asText()).isEqualTo("INFO");
    assertThat(node.path("formattedMessage").asText()).isEqualTo("done");
    assertThat(node.at("/mdc/job_id").asText()).isEqualTo("j\"1");
    assertThat(node.at("/mdc/trace_id").asText()).isEqualTo("4bf9");
    assertThat(node.at("/kvpList/0/total_ms").asDouble()).isEqualTo(12.5);
    assertThat(node.path("timestamp").isNumber()).isTrue();
  }
}
