package dev.amanuensis.engine;

/** Encodes one window at a time. Belongs to one thread at a time. */
public final class EncoderLane implements AutoCloseable {
  private final ModelInfo info;
  private final NativeHandle handle;

  EncoderLane(ModelInfo info, long address) {
    this.info = info;
    this.handle = new NativeHandle("the encoder lane", address, true, Abi::am_lane_close);
  }

  /**
   * Encodes a window.
   *
   * @param mel as {@link Engine#melWindow} writes it
   * @param contentFrames the mel frames from this one on are all alike: padding or digital silence;
   *     {@link Engine#WINDOW_FRAMES} if unknown. The fast profile computes less where there is less
   *     audio.
   * @param states out: {@link ModelInfo#encoderBytes}; how much of it is written depends on
   *     contentFrames
   */
  public void encode(NativeBuffer mel, int contentFrames, NativeBuffer states) {
    encode(mel, contentFrames, states, null);
  }

  /**
   * The same, with the output of every block for tests against an oracle.
   *
   * @param blockOutputs out: audioLayers x {@link ModelInfo#encoderBytes}, or null
   */
  public void encode(
      NativeBuffer mel, int contentFrames, NativeBuffer states, NativeBuffer blockOutputs) {
    long blocks =
        blockOutputs == null
            ? 0
            : blockOutputs.addressOf(info.audioLayers() * info.encoderBytes(), "block outputs");
    long in = mel.addressOf(info.melBytes(), "a mel window");
    long out = states.addressOf(info.encoderBytes(), "encoder states");
    long lane = handle.enter();
    try {
      Abi.check(Abi.am_encode(lane, in, Engine.WINDOW_FRAMES, contentFrames, out, blocks));
    } finally {
      handle.exit();
    }
  }

  /**
   * Whether {@link #encode} computes fewer rows than the window has: an approximation of its
   * padding.
   *
   * @param contentFrames as {@link #encode(NativeBuffer, int, NativeBuffer)} takes it
   */
  public boolean thinsPadding(int contentFrames) {
    long lane = handle.enter();
    try (NativeBuffer rows = NativeBuffer.allocate(Integer.BYTES)) {
      Abi.check(Abi.am_lane_rows(lane, contentFrames, rows.address()));
      return rows.bytes().getInt(0) < info.audioContext();
    } finally {
      handle.exit();
    }
  }

  /**
   * Cross-attention K and V of all decoder layers; afterwards the states are not needed any more.
   *
   * @param contentFrames as given to {@link #encode(NativeBuffer, int, NativeBuffer)}
   * @param crossKv out: {@link ModelInfo#crossKvBytes}; must stay open until every slot over it is
   *     closed
   */
  public void crossKv(NativeBuffer states, int contentFrames, NativeBuffer crossKv) {
    long in = states.addressOf(info.encoderBytes(), "encoder states");
    long out = crossKv.addressOf(info.crossKvBytes(), "cross-attention K/V");
    long lane = handle.enter();
    try {
      Abi.check(Abi.am_cross_kv(lane, in, contentFrames, out));
    } finally {
      handle.exit();
    }
  }

  @Override
  public void close() {
    handle.close();
  }
}
