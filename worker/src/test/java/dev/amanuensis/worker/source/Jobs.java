package dev.amanuensis.worker.source;

import dev.amanuensis.worker.job.AudioSource;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.TranscriptionOptions;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;

/** Jobs and sounds for the tests of this package. */
final class Jobs {
  private Jobs() {}

  static Job inline(byte[] bytes) {
    return of(new AudioSource.Inline(ByteBuffer.wrap(bytes), null));
  }

  static Job file(Path path) {
    return reference(path.toUri());
  }

  static Job reference(URI uri) {
    return of(new AudioSource.Reference(uri, null));
  }

  static Job of(AudioSource source) {
    return new Job(
        "job", source, null, TranscriptionOptions.DEFAULTS, 0, null, Instant.EPOCH, Map.of());
  }

  /** A tone of 440 Hz. */
  static byte[] tone(int samples) {
    ByteBuffer pcm = ByteBuffer.allocate(2 * samples).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < samples; i++) {
      pcm.putShort((short) (8000 * Math.sin(2 * Math.PI * 440 * i / 16_000)));
    }
    return pcm.array();
  }

  /** 16 kHz mono 16-bit WAV of these bytes. */
  static byte[] wav(byte[] pcm) {
    return wav(pcm, pcm.length, 1, 16_000, 16);
  }

  /** With a header that may lie about the length of the samples. */
  static byte[] wav(byte[] pcm, int claimed, int channels, int rate, int bits) {
    int frame = channels * bits / 8;
    ByteBuffer b = ByteBuffer.allocate(44 + pcm.length).order(ByteOrder.LITTLE_ENDIAN);
    b.put("RIFF".getBytes()).putInt(36 + claimed).put("WAVEfmt ".getBytes()).putInt(16);
    b.putShort((short) 1).putShort((short) channels).putInt(rate).putInt(rate * frame);
    b.putShort((short) frame).putShort((short) bits);
    b.put("data".getBytes()).putInt(claimed).put(pcm);
    return b.array();
  }

  static String pcmSha256(PreparedAudio audio) {
    return Sha256.of(audio.pcm());
  }

  static byte[] pcmBytes(PreparedAudio audio) {
    ByteBuffer pcm = audio.pcm();
    byte[] bytes = new byte[pcm.remaining()];
    pcm.get(bytes);
    return bytes;
  }
}
