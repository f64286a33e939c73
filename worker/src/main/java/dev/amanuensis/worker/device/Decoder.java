package dev.amanuensis.worker.device;

import dev.amanuensis.engine.Alignment;
import dev.amanuensis.engine.NativeBuffer;
import dev.amanuensis.worker.transcription.AlignmentRequest;
import dev.amanuensis.worker.transcription.SlotOptions;
import dev.amanuensis.worker.transcription.StepRequest;
import dev.amanuensis.worker.transcription.StepResult;
import java.util.List;

/**
 * Decodes several sequences, one step of all at a time; what it gives a sequence does not depend on
 * the others. Belongs to one thread.
 */
public interface Decoder extends AutoCloseable {
  /**
   * Opens a sequence over a window.
   *
   * @param crossKv stays open until the slot is closed
   */
  int open(NativeBuffer crossKv, SlotOptions options);

  /** As {@link dev.amanuensis.worker.transcription.SequencePort#fork}. */
  int fork(int slot);

  /** As {@link dev.amanuensis.worker.transcription.SequencePort#reorder}. */
  void reorder(int[] slots, int[] sources);

  void close(int slot);

  /** One token for each row; the results are in the order of the rows. */
  List<StepResult> step(List<StepRequest> rows);

  /** Probabilities of the languages, in token order. */
  float[] detectLanguage(NativeBuffer crossKv);

  Alignment align(NativeBuffer crossKv, AlignmentRequest request);

  @Override
  void close();
}
