package dev.amanuensis.cli.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine.TypeConversionException;

class DurationConverterTest {
  @ParameterizedTest
  @CsvSource({"90s,PT1M30S", "10m,PT10M", "2H,PT2H", "7d,PT168H", "PT1H30M,PT1H30M"})
  void timesAreWrittenAsPeopleWriteThem(String text, Duration wanted) {
    assertThat(new DurationConverter().convert(text)).isEqualTo(wanted);
  }

  @Test
  void otherTextIsToldWhatWouldDo() {
    assertThatThrownBy(() -> new DurationConverter().convert("soon"))
        .isInstanceOf(TypeConversionException.class)
        .hasMessageContaining("10m");
  }
}
