package dev.amanuensis.worker.source;

import dev.amanuensis.worker.buffers.Lease;
import dev.amanuensis.worker.job.AudioSource;
import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobException;
import dev.amanuensis.worker.source.reference.References;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** From a job to its PCM: fetch, check, decode. Thread-safe. */
public final class AudioPreparer implements AutoCloseable {
  private static final int BYTES_PER_MILLISECOND = 32;
  private static final int BLOCK = 1 << 18;

  private final SourceConfig config;
  private final References references;
  private final FfmpegDecoder ffmpeg;
  private final long maxPcmBytes;

  public AudioPreparer(SourceConfig config) {
    this.config = config;
    this.references =
        new References(config.references(), config.spillDirectory(), config.maxBytes());
    // One buffer holds at most 2 GiB: 18 hours.
    this.maxPcmBytes =
        Math.min(config.maxDuration().toMillis() * BYTES_PER_MILLISECOND, Integer.MAX_VALUE - 1);
    this.ffmpeg = new FfmpegDecoder(config.decodeTimeout(), maxPcmBytes);
  }

  /** As below, into a buffer of its own. */
  public PreparedAudio prepare(Job job) throws JobException, InterruptedException {
    return prepare(job, Lease.unpooled(PreparedAudio.WINDOW_BYTES, "job " + job.id()));
  }

  /**
   * @param memory of {@link PreparedAudio#WINDOW_BYTES}: taken over, also by a failure
   * @return decoded audio, which the caller closes
   * @throws JobException if there is no audio to be had; the message says why
   * @throws InterruptedException if the job was cancelled; nothing is left behind
   */
  public PreparedAudio prepare(Job job, Lease memory) throws JobException, InterruptedException {
    boolean prepared = false;
    try {
      PreparedAudio audio = prepareInto(job, memory);
      prepared = true;
      return audio;
    } finally {
      if (!prepared && memory.isOpen()) {
        memory.close();
      }
    }
  }

  private PreparedAudio prepareInto(Job job, Lease memory)
      throws JobException, InterruptedException {
    try {
      return job.source() instanceof AudioSource.Inline inline
          ? prepareInline(inline, memory)
          : prepareReference((AudioSource.Reference) job.source(), memory);
    } catch (ClosedByInterruptException e) {
      // The channel left the flag set; the exception takes its place.
      Thread.interrupted();
      throw new InterruptedException();
    } catch (IOException e) {
      throw failure(e);
    }
  }

  /** For what went wrong once the audio's bytes were there. */
  static JobException failure(IOException e) {
    String message = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
    return message.contains("no space left") || message.contains("quota exceeded")
        ? new JobException(
            ErrorCode.DISK_FULL,
            "the worker's disk has no room for temporary audio (a minute of audio takes 2 MB): make"
                + " room, or set source.spill.dir to another directory",
            e)
        : new JobException(ErrorCode.INTERNAL, "the audio can't be prepared: " + e, e);
  }

  private PreparedAudio prepareInline(AudioSource.Inline source, Lease memory)
      throws JobException, IOException, InterruptedException {
    long started = System.nanoTime();
    ByteBuffer bytes = source.bytes().duplicate();
    checkSize(bytes.remaining(), config.maxInlineBytes());
    String sha256 = Sha256.of(bytes.duplicate());
    checkHash(sha256, source.sha256());
    long fetched = System.nanoTime();
    PcmBuffer pcm = new PcmBuffer(config.spillDirectory(), memory);
    try {
      Optional<WavFile.Samples> wav = WavFile.samples(bytes, bytes.remaining());
      if (wav.isPresent()) {
        checkLength(wav.get().length());
        int from = bytes.position() + (int) wav.get().offset();
        ByteBuffer samples = bytes.duplicate();
        samples.limit(from + (int) wav.get().length()).position(from);
        pcm.expect(wav.get().length());
        pcm.write(samples);
      } else {
        decodeCopy(bytes, pcm);
      }
      return finish(pcm, sha256, started, fetched);
    } catch (Throwable e) {
      pcm.close();
      throw e;
    }
  }

  /** FFmpeg gets a file even for inline audio: some containers must be read back and forth. */
  private void decodeCopy(ByteBuffer bytes, PcmBuffer pcm)
      throws JobException, IOException, InterruptedException {
    Path copy = Files.createTempFile(config.spillDirectory(), "amanuensis-audio-", ".bin");
    try {
      try (FileChannel channel = FileChannel.open(copy, StandardOpenOption.WRITE)) {
        ByteBuffer all = bytes.duplicate();
        while (all.hasRemaining()) {
          channel.write(all);
        }
      }
      ffmpeg.decode(copy, pcm);
    } finally {
      Files.deleteIfExists(copy);
    }
  }

  private PreparedAudio prepareReference(AudioSource.Reference source, Lease memory)
      throws JobException, IOException, InterruptedException {
    long started = System.nanoTime();
    try (References.Fetched fetched = references.fetch(source)) {
      Path file = fetched.copy().path();
      checkSize(fetched.copy().bytes(), config.maxBytes());
      checkHash(fetched.sha256(), source.sha256());
      long arrived = System.nanoTime();
      PcmBuffer pcm = new PcmBuffer(config.spillDirectory(), memory);
      try {
        if (!copyWav(file, pcm)) {
          ffmpeg.decode(file, pcm);
        }
        return finish(pcm, fetched.sha256(), started, arrived);
      } catch (Throwable e) {
        pcm.close();
        throw e;
      }
    }
  }

  private boolean copyWav(Path file, PcmBuffer pcm) throws JobException, IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer block = ByteBuffer.allocate(BLOCK);
      while (block.hasRemaining() && channel.read(block) >= 0) {}
      Optional<WavFile.Samples> wav = WavFile.samples(block.flip(), channel.size());
      if (wav.isEmpty()) {
        return false;
      }
      checkLength(wav.get().length());
      channel.position(wav.get().offset());
      pcm.expect(wav.get().length());
      for (long left = wav.get().length(); left > 0; ) {
        int n = channel.read(block.clear().limit((int) Math.min(BLOCK, left)));
        if (n < 0) {
          throw new EOFException("the copy of the audio was cut");
        }
        pcm.write(block.flip());
        left -= n;
      }
      return true;
    }
  }

  private static PreparedAudio finish(PcmBuffer pcm, String sha256, long started, long fetched)
      throws IOException {
    pcm.finish();
    Map<String, Double> timings = new HashMap<>();
    timings.put("fetch", (fetched - started) / 1e6);
    timings.put("decode_audio", (System.nanoTime() - fetched) / 1e6);
    return new PreparedAudio(pcm, sha256, timings);
  }

  private static void checkSize(long bytes, long most) throws JobException {
    if (bytes == 0) {
      throw new JobException(ErrorCode.AUDIO_EMPTY, "the audio file is empty");
    }
    if (bytes > most) {
      throw new JobException(
          ErrorCode.AUDIO_TOO_LARGE,
          "%,d bytes of audio inside the record, at most %,d are taken (max.inline.bytes); submit it as a reference"
              .formatted(bytes, most));
    }
  }

  private void checkLength(long pcmBytes) throws JobException {
    if (pcmBytes > maxPcmBytes) {
      throw FfmpegDecoder.tooLong(maxPcmBytes);
    }
  }

  private static void checkHash(String actual, String wanted) throws JobException {
    if (wanted != null && !wanted.isBlank() && !wanted.equalsIgnoreCase(actual)) {
      throw new JobException(
          ErrorCode.AUDIO_HASH_MISMATCH,
          "the audio has sha256 %s, the job says %s".formatted(actual, wanted));
    }
  }

  @Override
  public void close() {
    references.close();
    ffmpeg.close();
  }
}
