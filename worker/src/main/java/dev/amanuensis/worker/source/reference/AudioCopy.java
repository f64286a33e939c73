package dev.amanuensis.worker.source.reference;

import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.JobException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A private copy of a job's audio, bounded and hashed while it is written: what was hashed is what
 * is decoded, whatever becomes of the original meanwhile. Gone once it is closed. One thread at a
 * time.
 */
public final class AudioCopy implements AutoCloseable {
  private final Path path;
  private final FileChannel channel;
  private final long maxBytes;
  private MessageDigest digest = sha256Digest();
  private long bytes;

  /** An empty one, which only this process's user can read. */
  AudioCopy(Path directory, long maxBytes) throws IOException {
    this.maxBytes = maxBytes;
    this.path = Files.createTempFile(directory, "amanuensis-audio-", ".bin");
    this.channel = FileChannel.open(path, StandardOpenOption.WRITE);
  }

  /** Appends all remaining bytes. */
  void write(ByteBuffer data) throws IOException, JobException {
    checkSize(bytes + data.remaining());
    bytes += data.remaining();
    digest.update(data.duplicate());
    while (data.hasRemaining()) {
      channel.write(data);
    }
  }

  /** For a size that was announced. */
  void checkSize(long announced) throws JobException {
    if (announced > maxBytes) {
      throw new JobException(
          ErrorCode.AUDIO_TOO_LARGE,
          "the audio file has %s%,d bytes, at most %,d are taken"
              .formatted(announced == bytes ? "" : "at least ", announced, maxBytes));
    }
  }

  /** Empty again, for another attempt. */
  void reset() throws IOException {
    channel.truncate(0);
    digest = sha256Digest();
    bytes = 0;
  }

  /** Where it is, until it is closed. */
  public Path path() {
    return path;
  }

  public long bytes() {
    return bytes;
  }

  /** Lower-case hex; ask once, after the last byte. */
  String sha256() {
    return HexFormat.of().formatHex(digest.digest());
  }

  @Override
  public void close() throws IOException {
    try {
      channel.close();
    } finally {
      Files.deleteIfExists(path);
    }
  }

  private static MessageDigest sha256Digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every JDK has it
    }
  }
}
