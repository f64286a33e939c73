package dev.amanuensis.worker.source;

import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.JobException;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Decodes any audio file with FFmpeg in a child process: a file that crashes or hangs the decoder
 * costs one child. The child reads that one file and no other protocol, and is bounded in time,
 * memory and output. Thread-safe.
 */
final class FfmpegDecoder implements AutoCloseable {
  /** Address space of the child: decoders of hostile files ask for any amount. */
  private static final long MAX_KIB = 4L << 20;

  private static final int STDERR_TAIL = 1000;

  /** Containers of audio; no playlists, no image sequences, nothing that opens other files. */
  private static final String FORMATS =
      "wav,w64,rf64,flac,mp3,ogg,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,aac,ac3,eac3,aiff,au,caf,amr,amrnb,"
          + "amrwb,asf,mpeg,mpegts,wv,ape,tta,tak,dts,avi,flv,gsm,voc,mpc,mpc8,shn,spx";

  private final Path spillDirectory;
  private final Duration timeout;
  private final long maxPcmBytes;
  private final ScheduledExecutorService watchdog =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "ffmpeg-watchdog");
            thread.setDaemon(true);
            return thread;
          });

  FfmpegDecoder(Path spillDirectory, Duration timeout, long maxPcmBytes) {
    this.spillDirectory = spillDirectory;
    this.timeout = timeout;
    this.maxPcmBytes = maxPcmBytes;
  }

  /**
   * Appends the first audio stream of the file to {@code pcm}, as the reference front end decodes
   * it.
   */
  void decode(Path file, PcmBuffer pcm) throws JobException, IOException, InterruptedException {
    Path errors = Files.createTempFile(spillDirectory, "amanuensis-ffmpeg-", ".log");
    try {
      Process child = start(file, errors);
      boolean done = false;
      try {
        done = pump(child, pcm);
      } finally {
        if (!done) {
          child.destroyForcibly();
        }
      }
      int exit = child.waitFor();
      if (pcm.bytes() == 0) {
        throw new JobException(
            ErrorCode.AUDIO_UNREADABLE,
            "FFmpeg found no audio in the file (exit code %d): %s"
                .formatted(exit, tail(errors, file)));
      }
    } finally {
      Files.deleteIfExists(errors);
    }
  }

  private Process start(Path file, Path errors) throws IOException {
    List<String> command = new ArrayList<>();
    command.addAll(List.of("/bin/sh", "-c", "ulimit -v " + MAX_KIB + "; exec \"$@\"", "sh"));
    command.addAll(FfmpegBinary.command());
    command.addAll(List.of("-nostdin", "-v", "error", "-threads", "1"));
    command.addAll(List.of("-protocol_whitelist", "file", "-format_whitelist", FORMATS));
    command.addAll(List.of("-i", "file:" + file.toAbsolutePath()));
    command.addAll(List.of("-map", "0:a:0", "-f", "s16le", "-ac", "1", "-ar", "16000", "pipe:1"));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().clear();
    builder.environment().putAll(FfmpegBinary.environment());
    builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
    builder.redirectError(errors.toFile());
    return builder.start();
  }

  private boolean pump(Process child, PcmBuffer pcm)
      throws JobException, IOException, InterruptedException {
    Thread reader = Thread.currentThread();
    long end = System.nanoTime() + timeout.toNanos();
    // A blocking read of a pipe notices neither an interrupt nor the time.
    Future<?> watch =
        watchdog.scheduleAtFixedRate(
            () -> {
              if (reader.isInterrupted() || System.nanoTime() - end > 0) {
                child.destroyForcibly();
              }
            },
            50,
            50,
            TimeUnit.MILLISECONDS);
    try (InputStream out = child.getInputStream()) {
      byte[] block = new byte[1 << 16];
      for (int n = out.read(block); n >= 0; n = out.read(block)) {
        pcm.write(ByteBuffer.wrap(block, 0, n));
        if (pcm.bytes() > maxPcmBytes) {
          throw new JobException(
              ErrorCode.AUDIO_TOO_LARGE,
              "the audio is longer than %d s".formatted(maxPcmBytes / 32_000));
        }
      }
    } finally {
      watch.cancel(false);
    }
    if (reader.isInterrupted()) {
      throw new InterruptedException();
    }
    if (System.nanoTime() - end > 0) {
      throw new JobException(
          ErrorCode.AUDIO_TIMEOUT, "decoding the audio took longer than " + timeout);
    }
    return true;
  }

  /** The last words of FFmpeg, without the path of our temporary file. */
  private static String tail(Path errors, Path input) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(errors.toFile(), "r")) {
      file.seek(Math.max(0, file.length() - STDERR_TAIL));
      byte[] bytes = new byte[STDERR_TAIL];
      int n = Math.max(0, file.read(bytes));
      String text = new String(bytes, 0, n, StandardCharsets.UTF_8);
      String shown =
          text.replace("file:" + input.toAbsolutePath(), "the file")
              .replaceAll("\\[[^\\]]* @ 0x[0-9a-f]+\\] ", "")
              .strip()
              .replace('\n', ';');
      return shown.isEmpty() ? "no message" : shown;
    }
  }

  @Override
  public void close() {
    watchdog.shutdownNow();
  }
}
