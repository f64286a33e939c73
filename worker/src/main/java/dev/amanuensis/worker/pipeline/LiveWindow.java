package dev.amanuensis.worker.pipeline;

import dev.amanuensis.engine.DecoderBatch;
import dev.amanuensis.engine.NativeBuffer;
import dev.amanuensis.engine.StepBatch;
import dev.amanuensis.worker.transcription.DecodingTask;
import dev.amanuensis.worker.transcription.SequencePort;
import dev.amanuensis.worker.transcription.SlotOptions;
import dev.amanuensis.worker.transcription.StepRequest;
import dev.amanuensis.worker.transcription.StepResult;
import dev.amanuensis.worker.transcription.Tokenizer;
import java.util.ArrayList;
import java.util.List;

/** A window in the batch: its decoding task and its rows of the step under way. */
final class LiveWindow implements AutoCloseable {
  final WindowTask task;
  final DecodingTask decoding;
  final long started = System.nanoTime();
  private List<StepRequest> requests = List.of();
  private int firstRow;

  LiveWindow(WindowTask task, Tokenizer tokenizer, DecoderBatch decoder) {
    this.task = task;
    this.decoding =
        new DecodingTask(task.window.decoding(), tokenizer, new Port(decoder, task.crossKv));
  }

  /** Asks the task for its next rows. */
  void prepare() {
    requests = decoding.next();
  }

  void addTo(StepBatch steps) {
    firstRow = steps.size();
    for (StepRequest r : requests) {
      int row =
          r.prompt()
              ? steps.addPrompt(r.slot(), r.tokens())
              : steps.add(r.slot(), r.tokens(), r.tokens().length);
      if (r.noSpeechRow() >= 0) {
        steps.noSpeechRow(row, r.noSpeechRow());
      }
      if (r.topK() > 0) {
        steps.topK(row, r.topK());
      }
      if (r.temperature() > 0) {
        steps.sample(row, r.temperature(), r.uniform());
      }
    }
  }

  /** Hands the results of its rows to the task. */
  void acceptFrom(StepBatch steps) {
    List<StepResult> results = new ArrayList<>(requests.size());
    for (int i = 0; i < requests.size(); i++) {
      results.add(result(steps, firstRow + i));
    }
    decoding.accept(results);
  }

  private static StepResult result(StepBatch steps, int row) {
    int n = steps.candidates(row);
    int[] tokens = new int[n];
    float[] logprobs = new float[n];
    for (int i = 0; i < n; i++) {
      tokens[i] = steps.candidateToken(row, i);
      logprobs[i] = steps.candidateLogprob(row, i);
    }
    return new StepResult(
        steps.token(row),
        steps.logprob(row),
        steps.noSpeechProbability(row),
        tokens,
        logprobs,
        steps.margin(row));
  }

  @Override
  public void close() {
    decoding.close();
  }

  /** The slots of one window. */
  private record Port(DecoderBatch decoder, NativeBuffer crossKv) implements SequencePort {
    @Override
    public int open(SlotOptions o) {
      return decoder.openSlot(
          crossKv,
          new dev.amanuensis.engine.SlotOptions(
              o.suppressBlank(), o.timestamps(), o.maxInitialTimestamp(), o.suppress()));
    }

    @Override
    public int fork(int slot) {
      return decoder.forkSlot(slot);
    }

    @Override
    public void reorder(int[] slots, int[] sources) {
      decoder.reorder(slots, sources);
    }

    @Override
    public void close(int slot) {
      decoder.closeSlot(slot);
    }
  }
}
