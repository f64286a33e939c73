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
   * @param states out: {@link ModelInfo#encoderBytes}
   */
  public void encode(NativeBuffer mel, NativeBuffer states) {
    encode(mel, states, null);
  }

  /**
   * The same, with the output of every block for tests against an oracle.
   *
   * @param blockOutputs out: audioLayers x {@link ModelInfo#encoderBytes}, or null
   */
  public void encode(NativeBuffer mel, NativeBuffer states, NativeBuffer blockOutputs) {
    long blocks =
        blockOutputs == null
            ? 0
            : blockOutputs.addressOf(info.audioLayers() * info.encoderBytes(), "block outputs");
    long in = mel.addressOf(info.melBytes(), "a mel window");
    long out = states.addressOf(info.encoderBytes(), "encoder states");
    long lane = handle.enter();
    try {
      Abi.check(Abi.am_encode(lane, in, Engine.WINDOW_FRAMES, out, blocks));
    } finally {
      handle.exit();
    }
  }

  /**
   * Cross-attention K and V of all decoder layers; afterwards the states are not needed any more.
   *
   * @param crossKv out: {@link ModelInfo#crossKvBytes}; must stay open until every slot over it is
   *     closed
   */
  public void crossKv(NativeBuffer states, NativeBuffer crossKv) {
    long in = states.addressOf(info.encoderBytes(), "encoder states");
    long out = crossKv.addressOf(info.crossKvBytes(), "cross-attention K/V");
    long lane = handle.enter();
    try {
      Abi.check(Abi.am_cross_kv(lane, in, out));
    } finally {
      handle.exit();
    }
  }

  @Override
  public void close() {
    handle.close();
  }
}
