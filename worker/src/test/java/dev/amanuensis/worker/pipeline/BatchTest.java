package dev.amanuensis.worker.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.worker.device.SimulatedModel;
import dev.amanuensis.worker.job.AudioSource;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.TestOptions;
import dev.amanuensis.worker.job.TranscriptionOptions;
import dev.amanuensis.worker.transcription.DecodingRequest;
import dev.amanuensis.worker.transcription.DecodingTask;
import dev.amanuensis.worker.transcription.SequencePort;
import dev.amanuensis.worker.transcription.SlotOptions;
import dev.amanuensis.worker.transcription.StepResult;
import dev.amanuensis.worker.transcription.Tokenizer;
import dev.amanuensis.worker.transcription.WindowRequest;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class BatchTest {
  private static final int SAMPLES = 3;
  private static final int SLOTS = 4;

  private final Tokenizer tokenizer = new SimulatedModel(Duration.ZERO).tokenizer();
  private final Batch batch = new Batch(SLOTS);
  private final AtomicInteger encoding = new AtomicInteger();
  private final Gathering gathering = new Gathering(encoding::get, 2);

  /** Greedy, then three samples. */
  private static TranscriptionOptions options() {
    TestOptions options = new TestOptions();
    options.temperatures = List.of(0f, 0.4f);
    options.bestOf = SAMPLES;
    return options.build();
  }

  private LiveWindow window(int priority, Instant deadline) {
    Job job =
        new Job(
            "job",
            new AudioSource.Inline(ByteBuffer.allocate(0), null),
            null,
            options(),
            priority,
            deadline,
            Instant.now(),
            Map.of());
    JobRun run =
        new JobRun(job, null, result -> {}, 0, r -> {}, new PipelineMeter(PipelineListener.NONE));
    DecodingRequest decoding = new DecodingRequest(options(), "en", 0, new int[0], new int[0]);
    WindowTask task = new WindowTask(run, new WindowRequest(0, 3000, decoding));
    return new LiveWindow(task, new DecodingTask(decoding, tokenizer, new Slots()));
  }

  private LiveWindow window() {
    return window(0, null);
  }

  /** A sequence that ends at once and is too improbable to be taken. */
  private void fail(LiveWindow window) {
    window.prepare(0);
    window.accept(
        List.of(new StepResult(tokenizer.eot(), -9f, 0.1f, new int[0], new float[0], 2f)));
  }

  /** Slots are numbers. */
  private static final class Slots implements SequencePort {
    private int next;

    @Override
    public int open(SlotOptions options) {
      return next++;
    }

    @Override
    public int fork(int slot) {
      return next++;
    }

    @Override
    public void reorder(int[] slots, int[] sources) {}

    @Override
    public void close(int slot) {}
  }

  @Test
  void greedyWindowsHoldOneSlotEach() {
    for (int i = 0; i < SLOTS; i++) {
      assertThat(batch.free()).isEqualTo(SLOTS - i);
      batch.add(window());
    }
    assertThat(batch.free()).isZero();
    assertThat(batch.stepping()).hasSize(SLOTS);
  }

  @Test
  void aRepeatedWindowWaitsForItsSlotsAndNobodyOvertakesIt() {
    LiveWindow repeated = window();
    batch.add(repeated);
    batch.add(window());
    batch.add(window());
    fail(repeated);
    batch.admitRepeated();
    assertThat(batch.stepping()).hasSize(2).doesNotContain(repeated);
    assertThat(batch.free()).as("for windows that join").isZero();

    LiveWindow finished = batch.stepping().get(0);
    batch.removeIf(w -> w == finished);
    batch.admitRepeated();
    assertThat(batch.stepping()).contains(repeated);
    assertThat(batch.held()).isEqualTo(SLOTS);
  }

  @Test
  void aSmallBatchWaitsForCompanyWhileEveryCoreEncodes() {
    batch.add(window());
    encoding.set(2);
    assertThat(gathering.waits(batch)).isTrue();
    encoding.set(1);
    assertThat(gathering.waits(batch)).as("a core is free").isFalse();
    encoding.set(2);
    batch.windows().get(0).heldNanos = Duration.ofSeconds(1).toNanos();
    assertThat(gathering.waits(batch)).as("it has waited enough").isFalse();
  }

  @Test
  void fullBatchesUrgentJobsAndDeadlinesDoNotWait() {
    encoding.set(2);
    batch.add(window(1, null));
    assertThat(gathering.waits(batch)).isFalse();
    batch.clear();
    batch.add(window(0, Instant.now()));
    assertThat(gathering.waits(batch)).isFalse();
    batch.clear();
    for (int i = 0; i < SLOTS; i++) {
      batch.add(window());
    }
    assertThat(gathering.waits(batch)).isFalse();
  }
}
