package dev.amanuensis.worker.device;

import dev.amanuensis.engine.NativeBuffer;
import dev.amanuensis.worker.transcription.Tokenizer;
import java.nio.ByteBuffer;

/** Everything around the encoder: log-mel, tokens and decoding. For all threads. */
public interface SpeechModel extends AutoCloseable {
  /** As in transcripts, for example whisper-base. */
  String name();

  /** Of the weights; empty where there are none. */
  String sha256();

  /** Of the arithmetic, as in transcripts. */
  String profile();

  Tokenizer tokenizer();

  /** One window of log-mel. */
  long melBytes();

  /** One window of encoder states. */
  long encoderBytes();

  /** Cross-attention K and V of one window. */
  long crossKvBytes();

  /** As {@link dev.amanuensis.engine.LogMel#max}. */
  float melMax(ByteBuffer pcm, long samples, long firstFrame, long frames);

  /** As {@link dev.amanuensis.engine.LogMel#window}: straight into the given memory. */
  void melWindow(
      ByteBuffer pcm, long samples, long firstFrame, int frames, float globalMax, NativeBuffer mel);

  /**
   * @param maxSequences open at a time at most, beams counted
   */
  Decoder newDecoder(int maxSequences);

  /** Once everything made from it is closed. */
  @Override
  void close();
}
