package dev.amanuensis.worker.intake;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TraceParentTest {
  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

  private static String traceId(String value) {
    RecordHeaders headers = new RecordHeaders();
    headers.add("traceparent", value == null ? null : value.getBytes(StandardCharsets.UTF_8));
    return TraceParent.traceId(headers);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "00-" + TRACE + "-00f067aa0ba902b7-01",
        " 00-" + TRACE + "-00f067aa0ba902b7-00 ",
        "cc-" + TRACE + "-00f067aa0ba902b7-01-what-comes-later",
      })
  void validHeadersGiveTheTrace(String value) {
    assertThat(traceId(value)).isEqualTo(TRACE);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "nonsense",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-" + TRACE + "-0000000000000000-01",
        "ff-" + TRACE + "-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-" + TRACE + "-00f067aa0ba902b7-01-extra",
        "00-" + TRACE + "-00f067aa0ba902b7",
      })
  void invalidOnesGiveNone(String value) {
    assertThat(traceId(value)).isNull();
  }

  @Test
  void absentNullAndHugeOnesGiveNone() {
    assertThat(TraceParent.traceId(new RecordHeaders())).isNull();
    assertThat(traceId(null)).isNull();
    assertThat(traceId("00-" + TRACE + "-00f067aa0ba902b7-01" + " ".repeat(1 << 20))).isNull();
  }

  @Test
  void theLastOfSeveralCounts() {
    RecordHeaders headers = new RecordHeaders();
    headers.add("traceparent", "nonsense".getBytes(StandardCharsets.UTF_8));
    headers.add(
        "traceparent", ("00-" + TRACE + "-00f067aa0ba902b7-01").getBytes(StandardCharsets.UTF_8));
    assertThat(TraceParent.traceId(headers)).isEqualTo(TRACE);
  }
}
