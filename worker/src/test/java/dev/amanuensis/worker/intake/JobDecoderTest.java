package dev.amanuensis.worker.intake;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.amanuensis.schema.AudioJob;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.apache.kafka.common.errors.SerializationException;
import org.junit.jupiter.api.Test;

class JobDecoderTest {
  /** The message is logged, and the stack goes into a dead letter. */
  @Test
  void uriThatIsNoneIsNotRepeatedForItMayHoldASecret() {
    AudioJob job = new AudioJob();
    job.setJobId("j");
    job.setAudioUri("https://user:hunter2@host/a b?X-Amz-Signature=hunter2");
    Throwable e = catchThrowable(() -> JobDecoder.decode(job));
    assertThat(e).isInstanceOf(SerializationException.class).hasMessageContaining("character 27");
    StringWriter stack = new StringWriter();
    e.printStackTrace(new PrintWriter(stack));
    assertThat(stack.toString()).doesNotContain("hunter2");
  }
}
