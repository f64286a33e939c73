package dev.amanuensis.worker.source;

import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.JobException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
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
  /**
   * Bytes of a file that is probably longer than 30 s: half of what plain PCM has, as FLAC. A wrong
   * guess costs a temporary file, or the move of 30 s of PCM into one.
   */
  private static final long LIKELY_LONG = PcmBuffer.WINDOW_BYTES / 2;

  /** Address space of the child: decoders of hostile files ask for any amount. */
  private static final long MAX_KIB = 1L << 20;

  /** FFmpeg's exit code when more than two thirds of the packets did not decode. */
  private static final int MOSTLY_ERRORS = 69;

  private static final int WATCH_MILLIS = 50;
  private static final int REAP_SECONDS = 5;

  /** Containers of audio; no playlists, no image sequences, nothing that opens other files. */
  private static final String FORMATS =
      "wav,w64,rf64,flac,mp3,ogg,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,aac,ac3,eac3,aiff,au,caf,amr,amrnb,"
          + "amrwb,asf,mpeg,mpegts,wv,ape,tta,tak,dts,avi,flv,gsm,voc,mpc,mpc8,shn,spx";

  private final Duration timeout;
  private final long maxPcmBytes;
  private final ScheduledExecutorService watchdog =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "ffmpeg-watchdog");
            thread.setDaemon(true);
            return thread;
          });

  FfmpegDecoder(Duration timeout, long maxPcmBytes) {
    this.timeout = timeout;
    this.maxPcmBytes = maxPcmBytes;
  }

  /**
   * Appends the first audio stream of the file to {@code pcm}, as the reference front end decodes
   * it.
   */
  void decode(Path file, PcmBuffer pcm) throws JobException, IOException, InterruptedException {
    long end = System.nanoTime() + timeout.toNanos();
    if (Files.size(file) > LIKELY_LONG) {
      pcm.expect(PcmBuffer.WINDOW_BYTES + 1L);
    }
    Process child = start(file);
    try {
      ErrorTail errors = new ErrorTail(child.getErrorStream());
      pump(child, pcm, end);
      if (!child.waitFor(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS)) {
        throw timedOut();
      }
      int exit = child.exitValue();
      if (pcm.bytes() < 2 || exit == MOSTLY_ERRORS) {
        throw new JobException(
            ErrorCode.AUDIO_UNREADABLE,
            "FFmpeg found no audio in the file (exit code %d): %s"
                .formatted(exit, errors.text(file)));
      }
      if (exit != 0 || errors.any()) {
        pcm.damage(
            "the audio is damaged or cut; what FFmpeg could decode of it, %.1f s, was transcribed: %s"
                .formatted(pcm.bytes() / 32e3, errors.text(file)));
      }
    } finally {
      child.destroyForcibly();
      // An interrupt does not end this wait: no child outlives its job.
      child.toHandle().onExit().completeOnTimeout(null, REAP_SECONDS, TimeUnit.SECONDS).join();
    }
  }

  private Process start(Path file) throws IOException {
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
    return builder.start();
  }

  private void pump(Process child, PcmBuffer pcm, long end)
      throws JobException, IOException, InterruptedException {
    Thread reader = Thread.currentThread();
    // A blocking read of a pipe notices neither an interrupt nor the time. The handle kills and no
    // more: Process.destroyForcibly would close the stream under the reader as well.
    Future<?> watch =
        watchdog.scheduleAtFixedRate(
            () -> {
              if (reader.isInterrupted() || System.nanoTime() - end > 0) {
                child.toHandle().destroyForcibly();
              }
            },
            WATCH_MILLIS,
            WATCH_MILLIS,
            TimeUnit.MILLISECONDS);
    try {
      InputStream out = child.getInputStream();
      byte[] block = new byte[1 << 16];
      for (int n = out.read(block); n >= 0; n = out.read(block)) {
        pcm.write(ByteBuffer.wrap(block, 0, n));
        if (pcm.bytes() > maxPcmBytes) {
          throw tooLong(maxPcmBytes);
        }
      }
    } finally {
      watch.cancel(false);
    }
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    if (System.nanoTime() - end > 0) {
      throw timedOut();
    }
  }

  static JobException tooLong(long maxPcmBytes) {
    return new JobException(
        ErrorCode.AUDIO_TOO_LARGE, "the audio is longer than %.1f s".formatted(maxPcmBytes / 32e3));
  }

  private JobException timedOut() {
    return new JobException(
        ErrorCode.AUDIO_TIMEOUT,
        "decoding the audio took longer than %.1f s".formatted(timeout.toMillis() / 1e3));
  }

  @Override
  public void close() {
    watchdog.shutdownNow();
  }
}
