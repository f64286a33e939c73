package dev.amanuensis.worker.transcription;

import java.util.List;

/**
 * Decodes one window: greedy, sampled or beam search, again at the next temperature while the result fails
 * the thresholds. A state machine that one thread drives: {@link #next()}, the decoder's step,
 * {@link #accept}, until {@link #done()}.
 */
public final class DecodingTask implements AutoCloseable {

  public DecodingTask(DecodingRequest request, Tokenizer tokenizer, SequencePort port) {
    throw new UnsupportedOperationException("not written yet");
  }

  /** Slots open at any time, at most. */
  public int maxSlots() {
    throw new UnsupportedOperationException("not written yet");
  }

  /** Rows that {@link #next()} will return, at most {@link #maxSlots()}. */
  public int rows() {
    throw new UnsupportedOperationException("not written yet");
  }

  public boolean done() {
    throw new UnsupportedOperationException("not written yet");
  }

  /** The rows of this task's next step; opens slots where it has to. Only before {@link #done()}. */
  public List<StepRequest> next() {
    throw new UnsupportedOperationException("not written yet");
  }

  /** Takes the results of the rows, in their order; forks, reorders and closes slots. */
  public void accept(List<StepResult> results) {
    throw new UnsupportedOperationException("not written yet");
  }

  /** Once {@link #done()}. */
  public DecodingResult result() {
    throw new UnsupportedOperationException("not written yet");
  }

  /** Closes the slots that are still open; for cancelled and failed windows. */
  @Override
  public void close() {
    throw new UnsupportedOperationException("not written yet");
  }
}
