package dev.amanuensis.worker.transcription;

import java.nio.charset.StandardCharsets;
import java.util.zip.Deflater;

/** How well a text compresses: loops of repeated words compress far better than speech. */
final class CompressionRatio {
  private CompressionRatio() {}

  /** Length in UTF-8 over its length in zlib format at the default level. */
  static double of(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    Deflater deflater = new Deflater();
    try {
      deflater.setInput(bytes);
      deflater.finish();
      byte[] sink = new byte[1024];
      long compressed = 0;
      while (!deflater.finished()) {
        compressed += deflater.deflate(sink);
      }
      return (double) bytes.length / compressed;
    } finally {
      deflater.end();
    }
  }
}
