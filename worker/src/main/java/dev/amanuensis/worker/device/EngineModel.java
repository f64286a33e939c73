package dev.amanuensis.worker.device;

import dev.amanuensis.engine.Engine;
import dev.amanuensis.engine.NativeBuffer;
import dev.amanuensis.worker.transcription.Tokenizer;
import java.nio.ByteBuffer;
import java.util.Locale;

/** Whisper, in the native engine. */
public final class EngineModel implements SpeechModel {
  private final String name;
  private final String sha256;
  private final Engine engine;
  private final Tokenizer tokenizer;

  /** Takes the engine over. */
  public EngineModel(String name, String sha256, Engine engine, Tokenizer tokenizer) {
    this.name = name;
    this.sha256 = sha256;
    this.engine = engine;
    this.tokenizer = tokenizer;
  }

  Engine engine() {
    return engine;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String sha256() {
    return sha256;
  }

  @Override
  public String profile() {
    return engine.info().profile().name().toLowerCase(Locale.ROOT);
  }

  @Override
  public Tokenizer tokenizer() {
    return tokenizer;
  }

  @Override
  public long melBytes() {
    return engine.info().melBytes();
  }

  @Override
  public long encoderBytes() {
    return engine.info().encoderBytes();
  }

  @Override
  public long crossKvBytes() {
    return engine.info().crossKvBytes();
  }

  @Override
  public float melMax(ByteBuffer pcm, long samples, long firstFrame, long frames) {
    return engine.melMax(pcm, samples, firstFrame, frames);
  }

  @Override
  public void melWindow(
      ByteBuffer pcm,
      long samples,
      long firstFrame,
      int frames,
      float globalMax,
      NativeBuffer mel) {
    engine.melWindow(pcm, samples, firstFrame, frames, globalMax, mel);
  }

  @Override
  public Decoder newDecoder(int maxSequences) {
    return new EngineDecoder(
        engine.newDecoder(maxSequences, Runtime.getRuntime().availableProcessors()));
  }

  @Override
  public void close() {
    engine.close();
  }
}
