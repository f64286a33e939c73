package dev.amanuensis.worker.source;

import java.nio.ByteBuffer;
import java.util.Map;

/**
 * Decoded audio: 16-bit little-endian mono PCM at 16 kHz, outside the heap. Long audio lives in a
 * mapped file that has no name any more. Owned by whoever holds it; no thread may use {@link #pcm}
 * after {@link #close}.
 */
public final class PreparedAudio implements AutoCloseable {
  /** Audio up to 30 s lies in one leased buffer of this size; what is longer in a mapped file. */
  public static final int WINDOW_BYTES = PcmBuffer.WINDOW_BYTES;

  private final PcmBuffer pcm;
  private final String sha256;
  private final Map<String, Double> timings;

  PreparedAudio(PcmBuffer pcm, String sha256, Map<String, Double> timings) {
    this.pcm = pcm;
    this.sha256 = sha256;
    this.timings = Map.copyOf(timings);
  }

  /** Direct or mapped; sample 0 is at byte 0. */
  public ByteBuffer pcm() {
    return pcm.buffer();
  }

  public long samples() {
    return pcm.bytes() / 2;
  }

  /** How often each of its bytes was copied on its way here: 1 unless the buffer was outgrown. */
  public double copies() {
    return pcm.copies();
  }

  /** Lower-case hex sha256 of the audio file's bytes as they were received. */
  public String sha256() {
    return sha256;
  }

  /** What is missing of the audio, in a sentence; null where nothing is known to be. */
  public String damage() {
    return pcm.damage();
  }

  /** Milliseconds: fetch, decode_audio. */
  public Map<String, Double> timings() {
    return timings;
  }

  @Override
  public void close() {
    pcm.close();
  }
}
