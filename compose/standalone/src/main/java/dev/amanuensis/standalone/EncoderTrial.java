package dev.amanuensis.standalone;

import dev.amanuensis.engine.EncoderLane;
import dev.amanuensis.engine.Engine;
import dev.amanuensis.engine.EngineOptions;
import dev.amanuensis.engine.NativeBuffer;
import dev.amanuensis.engine.NpuDevice;
import dev.amanuensis.engine.Profile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Windows through the encoder and the cross-attention's K and V, on the CPU or over an NPU, and
 * whether they have the bits of the CPU.
 */
final class EncoderTrial implements AutoCloseable {
  private static final int WINDOWS = 4;

  private final Engine engine;
  private final List<NativeBuffer> mels = new ArrayList<>();

  /** What each window must become. */
  private final List<byte[]> expected = new ArrayList<>();

  /**
   * @param npu null: the CPU; else taken over
   */
  EncoderTrial(Path weights, NpuDevice npu) {
    engine = Engine.open(weights, EngineOptions.of(Profile.FAST), npu);
    for (int i = 0; i < WINDOWS; i++) {
      mels.add(window(i));
    }
  }

  /** A window of tones that glide and pauses: deterministic, and rich in all bands. */
  private NativeBuffer window(int seed) {
    int samples = 30 * Engine.SAMPLE_RATE;
    ByteBuffer pcm = ByteBuffer.allocateDirect(samples * 2).order(ByteOrder.LITTLE_ENDIAN);
    double phase = 0;
    for (int i = 0; i < samples; i++) {
      double t = (double) i / Engine.SAMPLE_RATE;
      phase +=
          2
              * Math.PI
              * (150 + 40 * seed + 2500 * Math.pow(Math.sin(t * (0.7 + seed)), 2))
              / Engine.SAMPLE_RATE;
      double loud = Math.max(0, Math.sin(2.3 * t + seed)) * (0.5 + 0.5 * Math.sin(17 * t));
      pcm.putShort((short) (9000 * loud * (Math.sin(phase) + 0.4 * Math.sin(3 * phase))));
    }
    NativeBuffer mel = NativeBuffer.allocate(engine.info().melBytes());
    float max = engine.melMax(pcm, samples, 0, Engine.WINDOW_FRAMES);
    engine.melWindow(pcm, samples, 0, Engine.WINDOW_FRAMES, max, mel);
    return mel;
  }

  Engine engine() {
    return engine;
  }

  /** Computes every window once; later runs of another trial are held against it. */
  List<byte[]> results() {
    if (expected.isEmpty()) {
      try (Lane lane = new Lane()) {
        for (NativeBuffer mel : mels) {
          expected.add(lane.run(mel));
        }
      }
    }
    return expected;
  }

  /**
   * Runs windows on some lanes side by side.
   *
   * @param against results of the CPU
   * @return windows whose bits differ
   */
  int run(int lanes, int windowsEach, List<byte[]> against) throws InterruptedException {
    AtomicInteger wrong = new AtomicInteger();
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < lanes; t++) {
      int first = t;
      Thread thread =
          new Thread(
              () -> {
                try (Lane lane = new Lane()) {
                  for (int i = 0; i < windowsEach; i++) {
                    int window = (first + i) % WINDOWS;
                    if (!java.util.Arrays.equals(lane.run(mels.get(window)), against.get(window))) {
                      wrong.incrementAndGet();
                    }
                  }
                } catch (RuntimeException e) {
                  wrong.addAndGet(windowsEach);
                }
              },
              "trial-" + t);
      threads.add(thread);
      thread.start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    return wrong.get();
  }

  @Override
  public void close() {
    mels.forEach(NativeBuffer::close);
    engine.close();
  }

  private final class Lane implements AutoCloseable {
    private final EncoderLane lane = engine.newLane(1);
    private final NativeBuffer states = NativeBuffer.allocate(engine.info().encoderBytes());
    private final NativeBuffer crossKv = NativeBuffer.allocate(engine.info().crossKvBytes());

    byte[] run(NativeBuffer mel) {
      lane.encode(mel, Engine.WINDOW_FRAMES, states);
      lane.crossKv(states, Engine.WINDOW_FRAMES, crossKv);
      byte[] bytes = new byte[states.size() + crossKv.size()];
      states.bytes().duplicate().clear().get(bytes, 0, states.size());
      crossKv.bytes().duplicate().clear().get(bytes, states.size(), crossKv.size());
      return bytes;
    }

    @Override
    public void close() {
      lane.close();
      states.close();
      crossKv.close();
    }
  }
}
