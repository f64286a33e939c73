package dev.amanuensis.engine;

import java.nio.ByteBuffer;

/**
 * What a decoder has done since it was made. Times in nanoseconds; those of the parts hold the
 * alignments' share too.
 *
 * @param threads of the last step
 * @param tokens chosen in steps
 * @param rows tokens run through the layers: prompts and aligned text as well
 * @param logitRows rows of the vocabulary projection
 * @param stepNanos all of the steps
 * @param choiceNanos filters, log-probabilities and the choice of tokens
 * @param weightBytes weights read, if no cache held any of them from one use to the next; so are
 *     crossKvBytes and selfKvBytes
 * @param memoryBytes self-attention K/V and scratch: constant under a steady load
 * @param drafted tokens of drafts
 * @param confirmed those of them that were chosen
 */
public record DecoderStats(
    int threads,
    long steps,
    long tokens,
    long rows,
    long logitRows,
    long stepNanos,
    long choiceNanos,
    long projectionNanos,
    long selfAttentionNanos,
    long crossAttentionNanos,
    long logitNanos,
    long alignments,
    long alignedTokens,
    long alignNanos,
    long weightBytes,
    long crossKvBytes,
    long selfKvBytes,
    long memoryBytes,
    long drafted,
    long confirmed) {
  static final int BYTES = 2 * Integer.BYTES + 19 * Long.BYTES;

  static DecoderStats read(ByteBuffer in) {
    long[] v = new long[19];
    for (int i = 0; i < v.length; i++) {
      v[i] = in.getLong(2 * Integer.BYTES + i * Long.BYTES);
    }
    return new DecoderStats(
        in.getInt(Integer.BYTES),
        v[0],
        v[1],
        v[2],
        v[3],
        v[4],
        v[5],
        v[6],
        v[7],
        v[8],
        v[9],
        v[10],
        v[11],
        v[12],
        v[13],
        v[14],
        v[15],
        v[16],
        v[17],
        v[18]);
  }
}
