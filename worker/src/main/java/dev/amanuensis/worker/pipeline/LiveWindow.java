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
  private List<StepRequest> requests = List.of();

  LiveWindow(WindowTask task, Tokenizer tokenizer, Decoder decoder) {
    this.task = task;
    this.decoding =
        new DecodingTask(
            task.window.decoding(), tokenizer, new Port(decoder, task.crossKv.buffer()));
  }

  /** Asks the task for its next rows. */
  void prepare() {
    requests = decoding.next();
  }

  /** The rows of the step under way. */
  List<StepRequest> requests() {
    return requests;
  }

  /** Hands the results of its rows, in their order, to the task. */
  void accept(List<StepResult> results) {
    decoding.accept(results);
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
