package dev.amanuensis.engine;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * Decodes several sequences, one step of all at a time. A sequence is a slot, from 0 to maxSlots -
 * 1. Belongs to one thread at a time.
 */
public final class DecoderBatch implements AutoCloseable {
  private static final int SLOT_OPTIONS_BYTES = 32;

  private final ModelInfo info;
  private final int maxSlots;
  private final NativeHandle handle;

  DecoderBatch(ModelInfo info, long address, int maxSlots) {
    this.info = info;
    this.maxSlots = maxSlots;
    this.handle = new NativeHandle("the decoder", address, true, Abi::am_decoder_close);
  }

  public int maxSlots() {
    return maxSlots;
  }

  /** Reusable memory for the steps of this decoder. */
  public StepBatch newSteps() {
    return new StepBatch(maxSlots, info.textContext(), info.vocabulary());
  }

  /**
   * Opens a sequence over a window.
   *
   * @param crossKv must stay open until the slot is closed
   * @throws EngineException BAD_STATE if all slots are open
   */
  public int openSlot(NativeBuffer crossKv, SlotOptions options) {
    long kv = crossKv.addressOf(info.crossKvBytes(), "cross-attention K/V");
    int[] suppress = options.suppress();
    long decoder = handle.enter();
    try (NativeBuffer buffer =
        NativeBuffer.allocate(SLOT_OPTIONS_BYTES + Integer.BYTES * (suppress.length + 1L))) {
      ByteBuffer bytes = buffer.bytes();
      bytes.putInt(0, SLOT_OPTIONS_BYTES);
      bytes.putInt(4, options.suppressBlank() ? 1 : 0);
      bytes.putInt(8, options.timestamps() ? 1 : 0);
      bytes.putInt(12, options.maxInitialTimestamp());
      bytes.putInt(16, suppress.length);
      bytes.putLong(24, buffer.address() + SLOT_OPTIONS_BYTES + Integer.BYTES);
      for (int i = 0; i < suppress.length; i++) {
        bytes.putInt(SLOT_OPTIONS_BYTES + Integer.BYTES * (i + 1), suppress[i]);
      }
      long slot = buffer.address() + SLOT_OPTIONS_BYTES;
      Abi.check(Abi.am_slot_open(decoder, kv, buffer.address(), slot));
      return bytes.getInt(SLOT_OPTIONS_BYTES);
    } finally {
      handle.exit();
    }
  }

  /** A second sequence that continues from where source is. */
  public int forkSlot(int source) {
    long decoder = handle.enter();
    try (NativeBuffer out = NativeBuffer.allocate(Integer.BYTES)) {
      Abi.check(Abi.am_slot_fork(decoder, source, out.address()));
      return out.bytes().getInt(0);
    } finally {
      handle.exit();
    }
  }

  /**
   * Beam reordering: afterwards slots[i] continues what slots[sources[i]] was.
   *
   * @param sources indices into slots
   */
  public void reorder(int[] slots, int[] sources) {
    if (slots.length != sources.length || slots.length == 0) {
      throw new IllegalArgumentException(
          slots.length + " slots and " + sources.length + " sources");
    }
    long decoder = handle.enter();
    try (NativeBuffer both = NativeBuffer.allocate(2L * Integer.BYTES * slots.length)) {
      both.ints().put(slots).put(sources);
      long second = both.address() + (long) Integer.BYTES * slots.length;
      Abi.check(Abi.am_slots_reorder(decoder, both.address(), second, slots.length));
    } finally {
      handle.exit();
    }
  }

  public void closeSlot(int slot) {
    long decoder = handle.enter();
    try {
      Abi.check(Abi.am_slot_close(decoder, slot));
    } finally {
      handle.exit();
    }
  }

  /** One decoding step of the slots in the batch; the results are read from it. */
  public void step(StepBatch steps) {
    if (steps.size() == 0) {
      return;
    }
    long decoder = handle.enter();
    try {
      Abi.check(
          Abi.am_decode_step(decoder, steps.stepsAddress(), steps.resultsAddress(), steps.size()));
    } finally {
      handle.exit();
    }
  }

  /**
   * Probabilities of the languages after the start token alone, in token order. No open slot is
   * touched.
   */
  public float[] detectLanguage(NativeBuffer crossKv) {
    long kv = crossKv.addressOf(info.crossKvBytes(), "cross-attention K/V");
    float[] probabilities = new float[info.languages()];
    long decoder = handle.enter();
    try (NativeBuffer out = NativeBuffer.allocate(Float.BYTES * (info.languages() + 1L))) {
      Abi.check(Abi.am_detect_language(decoder, kv, out.address()));
      out.floats().get(probabilities);
      return probabilities;
    } finally {
      handle.exit();
    }
  }

  /**
   * Threads of the steps from now on at most, and at most what the decoder was made with. Fewer
   * work while encoder lanes or other decoders of the engine compute. Changes no bit of any result.
   */
  public void useThreads(int threads) {
    long decoder = handle.enter();
    try {
      Abi.check(Abi.am_decoder_use_threads(decoder, threads));
    } finally {
      handle.exit();
    }
  }

  /** What this decoder has done since it was made. */
  public DecoderStats stats() {
    long decoder = handle.enter();
    try (NativeBuffer out = NativeBuffer.allocate(DecoderStats.BYTES)) {
      out.bytes().putInt(0, DecoderStats.BYTES);
      Abi.check(Abi.am_decoder_get_stats(decoder, out.address()));
      return DecoderStats.read(out.bytes());
    } finally {
      handle.exit();
    }
  }

  /** Times and probabilities of text tokens, in the order of the requests. */
  public List<Alignment> align(List<AlignmentRequest> requests) {
    if (requests.isEmpty()) {
      return List.of();
    }
    long decoder = handle.enter();
    try (AlignmentMemory memory = new AlignmentMemory(info, requests)) {
      Abi.check(Abi.am_align(decoder, memory.address(), requests.size()));
      return memory.results();
    } finally {
      handle.exit();
    }
  }

  @Override
  public void close() {
    handle.close();
  }
}
