package dev.amanuensis.worker.pipeline;

import dev.amanuensis.engine.NativeBuffer;
import dev.amanuensis.worker.device.Decoder;
import dev.amanuensis.worker.transcription.DecodingTask;
import dev.amanuensis.worker.transcription.SequencePort;
import dev.amanuensis.worker.transcription.SlotOptions;
import dev.amanuensis.worker.transcription.StepRequest;
import dev.amanuensis.worker.transcription.StepResult;
import dev.amanuensis.worker.transcription.Tokenizer;
import java.util.List;

/** A window in the batch: its decoding task and its rows of the step under way. */
final class LiveWindow implements AutoCloseable {
  final WindowTask task;
  final DecodingTask decoding;

  /** Whether the decoder's slots for the attempt under way are set aside for it. */
  boolean holdsSlots;

  /** Time that it has waited for company in the batch. */
  long heldNanos;

  private List<StepRequest> requests = List.of();

  LiveWindow(WindowTask task, Tokenizer tokenizer, Decoder decoder) {
    this(
        task,
        new DecodingTask(
            task.window.decoding(),
            tokenizer,
            new Port(decoder, task.crossKv.buffer()),
            task.thinned ? 1 : Integer.MAX_VALUE));
  }

  LiveWindow(WindowTask task, DecodingTask decoding) {
    this.task = task;
    this.decoding = decoding;
  }

  /**
   * Asks the task for its next rows.
   *
   * @param mostDraft tokens of a draft at most
   */
  void prepare(int mostDraft) {
    requests = decoding.next(mostDraft);
  }

  /** The rows of the step under way. */
  List<StepRequest> requests() {
    return requests;
  }

  /** Hands the results of its rows, in their order, to the task. */
  void accept(List<StepResult> results) {
    int attempt = decoding.attempt();
    decoding.accept(results);
    holdsSlots &= decoding.attempt() == attempt;
  }

  @Override
  public void close() {
    decoding.close();
  }

  /** The slots of one window. */
  private record Port(Decoder decoder, NativeBuffer crossKv) implements SequencePort {
    @Override
    public int open(SlotOptions options) {
      return decoder.open(crossKv, options);
    }

    @Override
    public int fork(int slot) {
      return decoder.fork(slot);
    }

    @Override
    public void reorder(int[] slots, int[] sources) {
      decoder.reorder(slots, sources);
    }

    @Override
    public void close(int slot) {
      decoder.close(slot);
    }
  }
}
