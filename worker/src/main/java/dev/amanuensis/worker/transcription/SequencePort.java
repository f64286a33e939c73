package dev.amanuensis.worker.transcription;

/**
 * The sequences that one {@link DecodingTask} holds in the decoder. The decode stage makes one port
 * for each window, bound to the window's cross-attention keys and values, over {@code am_slot_*}.
 * Called only on the thread that drives the task, between steps.
 */
public interface SequencePort {
  /** Opens an empty sequence over the window and returns its slot. */
  int open(SlotOptions options);

  /** Opens a sequence with the same options, tokens and keys and values as {@code slot}. */
  int fork(int slot);

  /**
   * Afterwards {@code slots[i]} continues what {@code slots[sources[i]]} was. All slots have one
   * length and one origin.
   */
  void reorder(int[] slots, int[] sources);

  void close(int slot);
}
