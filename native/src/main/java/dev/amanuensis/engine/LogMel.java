package dev.amanuensis.engine;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;

/**
 * The log-mel spectrogram that Whisper hears, with the 80 filters of all checkpoints before
 * large-v3; needs no model. For all threads.
 */
public final class LogMel {
  /** One window: 80 x 3000 f32. */
  public static final long WINDOW_BYTES = 80L * Abi.WINDOW_FRAMES * Float.BYTES;

  private LogMel() {}

  /**
   * The largest log10 mel value over some frames; the maximum over all content frames of a file (at
   * least -10) is what {@link #window} needs.
   *
   * @param pcm the whole file: direct or mapped, 16-bit little-endian mono at 16 kHz, from byte 0
   *     on
   */
  public static float max(ByteBuffer pcm, long samples, long firstFrame, long frames) {
    return max(0, pcm, samples, firstFrame, frames);
  }

  static float max(long model, ByteBuffer pcm, long samples, long firstFrame, long frames) {
    long audio = pcmAddress(pcm, samples);
    try (NativeBuffer max = NativeBuffer.allocate(Float.BYTES)) {
      Abi.check(Abi.am_mel_max(model, audio, samples, firstFrame, frames, max.address()));
      return max.bytes().getFloat(0);
    } finally {
      Reference.reachabilityFence(pcm);
    }
  }

  /**
   * Writes one window of log-mel, mels x 3000 f32, rows without gaps.
   *
   * @param pcm as in {@link #max}
   * @param frames audio frames of the window, at most 3000; the rest becomes 0.0
   * @param mel at least {@link #WINDOW_BYTES}
   */
  public static void window(
      ByteBuffer pcm,
      long samples,
      long firstFrame,
      int frames,
      float globalMax,
      NativeBuffer mel) {
    long target = mel.addressOf(WINDOW_BYTES, "a mel window");
    window(0, pcm, samples, firstFrame, frames, globalMax, target);
  }

  static void window(
      long model,
      ByteBuffer pcm,
      long samples,
      long firstFrame,
      int frames,
      float globalMax,
      long mel) {
    long audio = pcmAddress(pcm, samples);
    try {
      Abi.check(
          Abi.am_mel_window(
              model, audio, samples, firstFrame, frames, globalMax, mel, Abi.WINDOW_FRAMES));
    } finally {
      Reference.reachabilityFence(pcm);
    }
  }

  private static long pcmAddress(ByteBuffer pcm, long samples) {
    return Memory.address(pcm, Math.multiplyExact(samples, (long) Short.BYTES), "pcm");
  }
}
