package dev.amanuensis.worker.source;

import java.nio.ByteBuffer;
import java.util.Optional;

/** Fuzz target: samples that the WAV reader finds lie within the file. */
public final class WavFuzz {
  private WavFuzz() {}

  public static void fuzzerTestOneInput(byte[] data) {
    Optional<WavFile.Samples> found = WavFile.samples(ByteBuffer.wrap(data), data.length);
    if (found.isPresent()) {
      long end = found.get().offset() + found.get().length();
      if (found.get().offset() < 0 || found.get().length() < 0 || end > data.length) {
        throw new IllegalStateException("samples outside the file: " + found.get());
      }
    }
  }
}
