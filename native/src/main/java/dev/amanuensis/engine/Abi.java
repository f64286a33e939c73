package dev.amanuensis.engine;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;

/**
 * The C ABI, bound directly: one static method a function. Addresses are passed as long, which is
 * what a pointer is on the 64-bit machines the library is built for.
 */
final class Abi {
  /** AM_ABI_VERSION of the header this class was written from. */
  static final int VERSION = 4;

  static final int MAX_TOP_K = 16;
  static final int WINDOW_FRAMES = 3000;

  static {
    NativeLibrary library = NativeLoader.load();
    Native.register(Abi.class, library);
    int version = am_abi_version();
    if (version != VERSION) {
      throw new UnsatisfiedLinkError(
          library.getFile() + " has ABI version " + version + ", this program needs " + VERSION);
    }
  }

  private Abi() {}

  /** Throws if the status is not AM_OK. To be called on the thread that made the failed call. */
  static void check(int status) {
    if (status != 0) {
      String message = am_last_error();
      throw new EngineException(
          EngineStatus.of(status),
          message == null || message.isEmpty() ? "the engine failed" : message);
    }
  }

  static native int am_abi_version();

  static native String am_last_error();

  static native int am_cpu(long info);

  static native int am_model_open(long path, long options, long model);

  static native int am_model_get_info(long model, long info);

  static native void am_model_close(long model);

  static native int am_mel_max(
      long model, long pcm, long samples, long firstFrame, long frames, long max);

  static native int am_mel_window(
      long model,
      long pcm,
      long samples,
      long firstFrame,
      int frames,
      float globalMax,
      long mel,
      long rowStride);

  static native int am_lane_create(long model, int threads, long lane);

  static native int am_lane_create_on(long model, int threads, long device, long lane);

  static native int am_device_open(long options, long device);

  static native int am_device_get_stats(long device, long stats);

  static native int am_device_time(
      long device, long m, long k, long n, int repeats, long milliseconds);

  static native void am_device_close(long device);

  static native void am_lane_close(long lane);

  static native int am_encode(
      long lane, long mel, long rowStride, int contentFrames, long states, long blockOutputs);

  static native int am_lane_rows(long lane, int contentFrames, long rows);

  static native int am_cross_kv(long lane, long states, int contentFrames, long crossKv);

  static native int am_bench(long model, int threads, long json, long capacity);

  static native int am_decoder_create(long model, int maxSlots, int threads, long decoder);

  static native void am_decoder_close(long decoder);

  static native int am_slot_open(long decoder, long crossKv, long options, long slot);

  static native int am_slot_fork(long decoder, int source, long slot);

  static native int am_slots_reorder(long decoder, long slots, long sources, int n);

  static native int am_slot_close(long decoder, int slot);

  static native int am_decode_step(long decoder, long steps, long results, int n);

  static native int am_detect_language(long decoder, long crossKv, long probabilities);

  static native int am_decoder_use_threads(long decoder, int threads);

  static native int am_decoder_get_stats(long decoder, long stats);

  static native int am_align(long decoder, long requests, int n);

  static native long am_copies();

  static native long am_copied_bytes();

  static native void am_count_copy(long bytes);

  static native long am_product_nanos(int decoder);
}
