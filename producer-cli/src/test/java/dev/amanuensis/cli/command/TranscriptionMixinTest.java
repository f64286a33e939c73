package dev.amanuensis.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.kafka.JobOptions;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

class TranscriptionMixinTest {
  @Command
  private static final class Holder {
    @Mixin TranscriptionMixin mixin;
  }

  private static JobOptions parse(String... arguments) throws CliException {
    Holder holder = new Holder();
    new CommandLine(holder).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(arguments);
    return holder.mixin.options(null);
  }

  @Test
  void defaultsAreThoseOfWhisper() throws Exception {
    assertThat(parse())
        .isEqualTo(
            new JobOptions(
                null,
                JobOptions.Task.TRANSCRIBE,
                false,
                null,
                List.of(0f, 0.2f, 0.4f, 0.6f, 0.8f, 1f),
                1,
                1,
                true,
                OptionalDouble.of(2.4),
                OptionalDouble.of(-1.0),
                OptionalDouble.of(0.6),
                null,
                List.of(),
                JobOptions.Chunking.NONE));
  }

  @Test
  void oneTemperatureMeansNoFallback() throws Exception {
    assertThat(parse("--temperature", "0").temperatures()).containsExactly(0f);
    assertThat(parse("--temperature=0,0.5").temperatures()).containsExactly(0f, 0.5f);
  }

  @Test
  void thresholdsCanBeSwitchedOff() throws Exception {
    JobOptions options = parse("--no-speech-threshold", "off", "--logprob-threshold", "-0.5");
    assertThat(options.noSpeechThreshold()).isEmpty();
    assertThat(options.logprobThreshold()).hasValue(-0.5);
  }

  @Test
  void conditioningCanBeSwitchedOff() throws Exception {
    assertThat(parse("--no-condition-on-previous-text").conditionOnPreviousText()).isFalse();
    assertThat(parse("--condition-on-previous-text").conditionOnPreviousText()).isTrue();
  }

  @Test
  void taskAndClipsAreRead() throws Exception {
    JobOptions options = parse("--task", "translate", "--clip-timestamps", "0,10.5,20", "-w");
    assertThat(options.task()).isEqualTo(JobOptions.Task.TRANSLATE);
    assertThat(options.clipTimestamps()).containsExactly(0.0, 10.5, 20.0);
    assertThat(options.wordTimestamps()).isTrue();
  }

  @Test
  void autoMeansThatTheLanguageIsDetected() throws Exception {
    assertThat(parse("--language", "auto").language()).isNull();
  }
}
