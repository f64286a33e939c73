package dev.amanuensis.worker.device;

import dev.amanuensis.engine.LogMel;
import dev.amanuensis.engine.NativeBuffer;
import dev.amanuensis.worker.transcription.Tokenizer;
import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * Stands in for Whisper where the device is simulated: real log-mel, no weights, and a decoder that
 * writes what {@link SimulatedDevice} left. Needs no model files.
 */
public final class SimulatedModel implements SpeechModel {
  private static final int STATES_BYTES = 1500 * 512 * Float.BYTES;

  private final Tokenizer tokenizer = Tokenizer.ofBytes(SimulatedDecoder.WORDS);
  private final Duration stepTime;

  /**
   * @param stepTime of one step of the decoder, whatever the batch
   */
  public SimulatedModel(Duration stepTime) {
    this.stepTime = stepTime;
  }

  @Override
  public String name() {
    return "simulated";
  }

  @Override
  public String sha256() {
    return "";
  }

  @Override
  public String profile() {
    return "simulated";
  }

  @Override
  public Tokenizer tokenizer() {
    return tokenizer;
  }

  @Override
  public long melBytes() {
    return LogMel.WINDOW_BYTES;
  }

  @Override
  public long encoderBytes() {
    return STATES_BYTES;
  }

  @Override
  public long crossKvBytes() {
    return Integer.BYTES;
  }

  @Override
  public float melMax(ByteBuffer pcm, long samples, long firstFrame, long frames) {
    return LogMel.max(pcm, samples, firstFrame, frames);
  }

  @Override
  public void melWindow(
      ByteBuffer pcm,
      long samples,
      long firstFrame,
      int frames,
      float globalMax,
      NativeBuffer mel) {
    LogMel.window(pcm, samples, firstFrame, frames, globalMax, mel);
  }

  @Override
  public Decoder newDecoder(int maxSequences) {
    return new SimulatedDecoder(tokenizer, maxSequences, stepTime);
  }

  @Override
  public void close() {}
}
