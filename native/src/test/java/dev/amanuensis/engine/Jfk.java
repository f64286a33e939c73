package dev.amanuensis.engine;

import dev.amanuensis.model.ModelException;
import dev.amanuensis.model.ModelStore;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/** The reference recording on its way through the engine. */
final class Jfk implements AutoCloseable {
  static final int SOT = 50258;
  static final int EN = 50259;
  static final int TRANSCRIBE = 50359;

  /** Bytes of a canonical RIFF header. */
  private static final int DATA_CHUNK = 0x64617461;

  final Engine engine;
  final ModelInfo info;
  final ByteBuffer pcm;
  final long samples;
  final int frames;

  Jfk() {
    this(Profile.REFERENCE);
  }

  Jfk(Profile profile) {
    engine = Engine.open(weights(), profile);
    info = engine.info();
    byte[] wav = read("/speech/jfk.wav");
    ByteBuffer in = ByteBuffer.wrap(wav);
    int at = 12;
    while (in.getInt(at) != DATA_CHUNK) {
      at += 8 + in.order(ByteOrder.LITTLE_ENDIAN).getInt(at + 4);
      in.order(ByteOrder.BIG_ENDIAN);
    }
    int bytes = in.order(ByteOrder.LITTLE_ENDIAN).getInt(at + 4);
    pcm = ByteBuffer.allocateDirect(bytes).put(wav, at + 8, bytes).flip();
    samples = bytes / Short.BYTES;
    frames = (int) (samples / Engine.HOP);
  }

  /** The model that the build has fetched; without it these tests fail, as they should. */
  static Path weights() {
    try {
      return ModelStore.defaultStore().locate().weights();
    } catch (ModelException e) {
      throw new UncheckedIOException(e);
    }
  }

  NativeBuffer mel() {
    NativeBuffer mel = NativeBuffer.allocate(info.melBytes());
    float max = Math.max(-10f, engine.melMax(pcm, samples, 0, frames));
    engine.melWindow(pcm, samples, 0, frames, max, mel);
    return mel;
  }

  NativeBuffer states(int threads) {
    NativeBuffer states = NativeBuffer.allocate(info.encoderBytes());
    try (NativeBuffer mel = mel();
        EncoderLane lane = engine.newLane(threads)) {
      lane.encode(mel, frames, states);
    }
    return states;
  }

  NativeBuffer crossKv() {
    NativeBuffer crossKv = NativeBuffer.allocate(info.crossKvBytes());
    try (NativeBuffer states = states(1);
        EncoderLane lane = engine.newLane(1)) {
      lane.crossKv(states, frames, crossKv);
    }
    return crossKv;
  }

  @Override
  public void close() {
    engine.close();
  }

  private static byte[] read(String name) {
    try (InputStream in = Jfk.class.getResourceAsStream(name)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
