package dev.amanuensis.engine;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/**
 * An open Whisper model. It is immutable: all threads may use it at once. Lanes and decoders made
 * from it may outlive it.
 */
public final class Engine implements AutoCloseable {
  /** Mel frames (10 ms) of a window of 30 s. */
  public static final int WINDOW_FRAMES = Abi.WINDOW_FRAMES;

  /** Samples of a mel frame at 16 kHz. */
  public static final int HOP = 160;

  public static final int SAMPLE_RATE = 16_000;

  private final NativeHandle handle;
  private final ModelInfo info;
  private final NpuDevice npu;

  private Engine(NativeHandle handle, ModelInfo info, NpuDevice npu) {
    this.handle = handle;
    this.info = info;
    this.npu = npu;
  }

  /**
   * Maps a safetensors file with Hugging Face tensor names.
   *
   * @throws EngineException IO, BAD_MODEL, OUT_OF_MEMORY or UNSUPPORTED
   */
  public static Engine open(Path weights, Profile profile) {
    return open(weights, EngineOptions.of(profile));
  }

  /** The same, with the settings that a profile leaves open. */
  public static Engine open(Path weights, EngineOptions settings) {
    return open(weights, settings, null);
  }

  /**
   * The same, with lanes that give their products to an NPU. Keeps the int8 weights in its form
   * too: 22 MB more.
   *
   * @param settings of profile FAST, if there is an NPU: it computes int8 alone
   * @param npu null: none; else closed with the engine, or here if the model can't be opened
   */
  public static Engine open(Path weights, EngineOptions settings, NpuDevice npu) {
    try {
      if (npu != null && settings.profile() != Profile.FAST) {
        throw new IllegalArgumentException("an NPU computes int8: the profile must be FAST");
      }
      return openModel(weights, settings, npu);
    } catch (RuntimeException | Error e) {
      if (npu != null) {
        npu.close();
      }
      throw e;
    }
  }

  private static Engine openModel(Path weights, EngineOptions settings, NpuDevice npu) {
    byte[] path = weights.toString().getBytes(StandardCharsets.UTF_8);
    try (NativeBuffer text = NativeBuffer.allocate(path.length + 1L);
        NativeBuffer options = NativeBuffer.allocate(28);
        NativeBuffer out = NativeBuffer.allocate(Long.BYTES)) {
      text.bytes().put(path);
      options
          .bytes()
          .putInt(0, options.size())
          .putInt(4, settings.profile().ordinal())
          .putInt(8, settings.inF32().stream().mapToInt(part -> 1 << part.ordinal()).sum())
          .putInt(12, settings.paddingStride())
          .putInt(16, settings.paddingMargin())
          .putInt(20, npu != null ? 1 : 0)
          .putInt(24, Runtime.getRuntime().availableProcessors());
      Abi.check(Abi.am_model_open(text.address(), options.address(), out.address()));
      long model = out.bytes().getLong(0);
      NativeHandle handle = new NativeHandle("the engine", model, false, Abi::am_model_close);
      try {
        return new Engine(handle, readInfo(model), npu);
      } catch (RuntimeException | Error e) {
        handle.close();
        throw e;
      }
    }
  }

  /** The processor as the engine sees it; needs no model. */
  public static CpuInfo cpu() {
    try (NativeBuffer buffer = NativeBuffer.allocate(232)) {
      ByteBuffer in = buffer.bytes();
      in.putInt(0, buffer.size());
      Abi.check(Abi.am_cpu(buffer.address()));
      return new CpuInfo(
          in.getInt(4),
          Memory.string(in, 8, 64),
          Memory.string(in, 72, 64),
          Memory.string(in, 136, 64),
          Memory.string(in, 200, 32));
    }
  }

  private static ModelInfo readInfo(long model) {
    try (NativeBuffer buffer = NativeBuffer.allocate(112)) {
      ByteBuffer in = buffer.bytes();
      in.putInt(0, buffer.size());
      Abi.check(Abi.am_model_get_info(model, buffer.address()));
      return new ModelInfo(
          Profile.values()[in.getInt(4)],
          in.getInt(8),
          in.getInt(12),
          in.getInt(16),
          in.getInt(20),
          in.getInt(24),
          in.getInt(28),
          in.getInt(32),
          in.getInt(36),
          in.getInt(40),
          in.getInt(44),
          in.getInt(48) != 0,
          in.getInt(52),
          in.getInt(56),
          in.getInt(60),
          in.getInt(64),
          in.getInt(68),
          in.getInt(72),
          in.getInt(76),
          in.getLong(80),
          in.getLong(88),
          in.getLong(96),
          in.getLong(104));
    }
  }

  public ModelInfo info() {
    return info;
  }

  /** The NPU that its lanes use. */
  public Optional<NpuDevice> npu() {
    return Optional.ofNullable(npu);
  }

  /** As {@link LogMel#max}, with the model's mel filters. */
  public float melMax(ByteBuffer pcm, long samples, long firstFrame, long frames) {
    long model = handle.enter();
    try {
      return LogMel.max(model, pcm, samples, firstFrame, frames);
    } finally {
      handle.exit();
    }
  }

  /** As {@link LogMel#window}, with the model's mel filters. */
  public void melWindow(
      ByteBuffer pcm,
      long samples,
      long firstFrame,
      int frames,
      float globalMax,
      NativeBuffer mel) {
    long target = mel.addressOf(info.melBytes(), "a mel window");
    long model = handle.enter();
    try {
      LogMel.window(model, pcm, samples, firstFrame, frames, globalMax, target);
    } finally {
      handle.exit();
    }
  }

  /**
   * Scratch memory for one window in the encoder.
   *
   * @param threads that a window computes on at most: the calling one and, on cores where no lane
   *     and no decoder of this engine computes, helpers that all lanes share
   */
  public EncoderLane newLane(int threads) {
    long model = handle.enter();
    try (NativeBuffer out = NativeBuffer.allocate(Long.BYTES)) {
      if (npu == null) {
        Abi.check(Abi.am_lane_create(model, threads, out.address()));
      } else {
        long device = npu.enter();
        try {
          Abi.check(Abi.am_lane_create_on(model, threads, device, out.address()));
        } finally {
          npu.exit();
        }
      }
      return new EncoderLane(info, out.bytes().getLong(0));
    } finally {
      handle.exit();
    }
  }

  /**
   * A decoder for several sequences at once.
   *
   * @param maxSlots most sequences open at a time
   */
  public DecoderBatch newDecoder(int maxSlots, int threads) {
    long model = handle.enter();
    try (NativeBuffer out = NativeBuffer.allocate(Long.BYTES)) {
      Abi.check(Abi.am_decoder_create(model, maxSlots, threads, out.address()));
      return new DecoderBatch(info, out.bytes().getLong(0), maxSlots);
    } finally {
      handle.exit();
    }
  }

  /**
   * Measures the engine's parts on this machine for about a minute: GEMMs, stages of the encoder
   * beside a bound made of them, decoder steps beside the memory bandwidth, one window alone.
   *
   * @param threads what a window that is alone may use
   * @return JSON, see bench/engine_bench.h
   */
  public String benchmark(int threads) {
    long model = handle.enter();
    try (NativeBuffer json = NativeBuffer.allocate(1 << 16)) {
      Abi.check(Abi.am_bench(model, threads, json.address(), json.size()));
      byte[] text = new byte[json.size()];
      json.bytes().get(0, text);
      int length = 0;
      while (text[length] != 0) {
        length++;
      }
      return new String(text, 0, length, StandardCharsets.UTF_8);
    } finally {
      handle.exit();
    }
  }

  @Override
  public void close() {
    handle.close();
    if (npu != null) {
      npu.close();
    }
  }
}
