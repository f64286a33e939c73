package dev.amanuensis.worker.source;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Reads all that a child writes to its standard error and keeps the end of it: a hostile file can
 * bring forth any number of messages.
 */
final class ErrorTail {
  private static final int KEPT = 1000;
  private static final long PATIENCE_MILLIS = 2000;

  private final Thread thread;
  private byte[] tail = new byte[0];

  ErrorTail(InputStream errors) {
    thread = new Thread(() -> drain(errors), "ffmpeg-stderr");
    thread.setDaemon(true);
    thread.start();
  }

  private void drain(InputStream errors) {
    byte[] block = new byte[4096];
    try (errors) {
      for (int n = errors.read(block); n >= 0; n = errors.read(block)) {
        keep(block, n);
      }
    } catch (IOException e) {
      // The child was killed; what it said is there.
    }
  }

  private synchronized void keep(byte[] block, int n) {
    byte[] all = Arrays.copyOf(tail, tail.length + n);
    System.arraycopy(block, 0, all, tail.length, n);
    tail = Arrays.copyOfRange(all, Math.max(0, all.length - KEPT), all.length);
  }

  /** Whether there was any message. */
  boolean any() throws InterruptedException {
    thread.join(PATIENCE_MILLIS);
    synchronized (this) {
      return tail.length > 0;
    }
  }

  /** On one line, without the name of the file and the addresses of FFmpeg's objects. */
  String text(Path input) throws InterruptedException {
    thread.join(PATIENCE_MILLIS);
    String text;
    synchronized (this) {
      text = new String(tail, StandardCharsets.UTF_8);
    }
    String shown =
        text.replace("file:" + input.toAbsolutePath(), "the file")
            .replaceAll("\\[[^\\]\\n]* @ 0x[0-9a-f]+\\] ", "")
            .strip()
            .replaceAll("\\s*\\n\\s*", "; ");
    return shown.isEmpty() ? "no message" : shown;
  }
}
