package dev.amanuensis.engine;

import java.nio.ByteBuffer;

/**
 * The am_step and am_step_result arrays of a decoder, in native memory that is used again for every
 * step: filling, stepping and reading allocate nothing. Usage: {@link #clear}, {@link #add} for
 * each slot, {@link DecoderBatch#step}, then the getters by the index that add returned. Belongs to
 * one thread at a time.
 */
public final class StepBatch implements AutoCloseable {
  /** Tokens of a draft at most (AM_MAX_DRAFT). */
  public static final int MAX_DRAFT = 8;

  private static final int STEP_BYTES = 64;
  private static final int RESULT_BYTES = 216;

  private final int maxSteps;
  private final int maxTokens;
  private final int vocabulary;
  private final NativeBuffer steps;
  private final NativeBuffer results;
  private final NativeBuffer tokens;
  private int size;

  StepBatch(int maxSteps, int textContext, int vocabulary) {
    this.maxSteps = maxSteps;
    this.maxTokens = textContext;
    this.vocabulary = vocabulary;
    this.steps = NativeBuffer.allocate((long) STEP_BYTES * maxSteps);
    this.results = NativeBuffer.allocate((long) RESULT_BYTES * maxSteps);
    this.tokens = NativeBuffer.allocate((long) tokenOffset(maxSteps));
  }

  /** Begins a new step. The results of the last one are gone. */
  public void clear() {
    size = 0;
  }

  public int size() {
    return size;
  }

  /** The initial tokens of a slot. Defaults as in {@link #add(int, int)}. */
  public int addPrompt(int slot, int[] prompt) {
    int index = add(slot, prompt, prompt.length);
    steps.bytes0().putInt(index * STEP_BYTES + 16, 1);
    return index;
  }

  /** One more token of a slot: greedy, no candidates, no no-speech probability, no logits. */
  public int add(int slot, int token) {
    int index = begin(slot, 1);
    tokens.bytes0().putInt(tokenOffset(index), token);
    return index;
  }

  /** Several tokens of a slot that are not its initial ones (forced text). */
  public int add(int slot, int[] values, int count) {
    int index = begin(slot, count);
    ByteBuffer out = tokens.bytes0();
    int at = tokenOffset(index);
    for (int i = 0; i < count; i++) {
      out.putInt(at + Integer.BYTES * i, values[i]);
    }
    return index;
  }

  private int begin(int slot, int count) {
    if (size == maxSteps) {
      throw new IllegalStateException("more than " + maxSteps + " sequences in a step");
    }
    if (count < 1 || count > maxTokens) {
      throw new IllegalArgumentException(count + " tokens in a step; 1 to " + maxTokens + " go");
    }
    int index = size++;
    ByteBuffer out = steps.bytes0();
    int at = index * STEP_BYTES;
    out.putInt(at, slot);
    out.putInt(at + 4, count);
    out.putLong(at + 8, tokens.address() + tokenOffset(index));
    out.putInt(at + 16, 0);
    out.putInt(at + 20, -1);
    out.putInt(at + 24, 0);
    out.putFloat(at + 28, 0f);
    out.putDouble(at + 32, 0.0);
    out.putLong(at + 40, 0);
    out.putLong(at + 48, tokens.address() + draftOffset(index));
    out.putInt(at + 56, 0);
    return index;
  }

  /**
   * Guesses what will be chosen after the tokens just added: the step goes on as far as the guess
   * is right, at hardly more cost, and with the same bits as one step for each token. Without a
   * temperature, candidates or logits only.
   *
   * @param draft at most {@link #MAX_DRAFT} tokens, none of them the end of text
   */
  public void draft(int index, int[] draft) {
    if (draft.length > MAX_DRAFT) {
      throw new IllegalArgumentException(
          "a draft of " + draft.length + " tokens, of at most " + MAX_DRAFT);
    }
    steps.bytes0().putInt(step(index) + 56, draft.length);
    for (int i = 0; i < draft.length; i++) {
      tokens.bytes0().putInt(draftOffset(index) + Integer.BYTES * i, draft[i]);
    }
  }

  /** Asks for the no-speech probability at a row of the tokens just added (that of sot). */
  public void noSpeechRow(int index, int row) {
    steps.bytes0().putInt(step(index) + 20, row);
  }

  /** Asks for the best candidates, at most 16. */
  public void topK(int index, int topK) {
    if (topK < 0 || topK > Abi.MAX_TOP_K) {
      throw new IllegalArgumentException("top " + topK + " of at most " + Abi.MAX_TOP_K);
    }
    steps.bytes0().putInt(step(index) + 24, topK);
  }

  /**
   * Samples instead of taking the best.
   *
   * @param temperature above 0
   * @param uniform random number in [0, 1)
   */
  public void sample(int index, float temperature, double uniform) {
    steps.bytes0().putFloat(step(index) + 28, temperature).putDouble(step(index) + 32, uniform);
  }

  /** Asks for the unfiltered logits of the last row: vocabulary f32. */
  public void rawLogits(int index, NativeBuffer logits) {
    long address = logits.addressOf((long) Float.BYTES * vocabulary, "logits");
    steps.bytes0().putLong(step(index) + 40, address);
  }

  /** The token chosen from the filtered logits, after what was confirmed of the draft. */
  public int token(int index) {
    return results.bytes0().getInt(result(index));
  }

  /** Its log-probability among the filtered logits at temperature 1. */
  public float logprob(int index) {
    return results.bytes0().getFloat(result(index) + 4);
  }

  /** NaN unless asked for. */
  public float noSpeechProbability(int index) {
    return results.bytes0().getFloat(result(index) + 8);
  }

  /** How many candidates there are: fewer than asked for if the filters leave no more. */
  public int candidates(int index) {
    return results.bytes0().getInt(result(index) + 12);
  }

  /** The candidate of a rank, 0 the best; ties by lower id. */
  public int candidateToken(int index, int rank) {
    return results.bytes0().getInt(result(index) + 16 + Integer.BYTES * rank(index, rank));
  }

  public float candidateLogprob(int index, int rank) {
    return results.bytes0().getFloat(result(index) + 80 + Float.BYTES * rank(index, rank));
  }

  /** Best minus second-best filtered logit: how near to a tie the choice was. */
  public float margin(int index) {
    return results.bytes0().getFloat(result(index) + 144);
  }

  /** How many tokens of the draft were chosen, from its first one on; the slot has them now. */
  public int confirmed(int index) {
    return results.bytes0().getInt(result(index) + 148);
  }

  /** Log-probability of a confirmed token, as {@link #logprob}. */
  public float confirmedLogprob(int index, int token) {
    return results.bytes0().getFloat(result(index) + 152 + Float.BYTES * drafted(index, token));
  }

  /** Margin of a confirmed token, as {@link #margin}. */
  public float confirmedMargin(int index, int token) {
    return results.bytes0().getFloat(result(index) + 184 + Float.BYTES * drafted(index, token));
  }

  private int drafted(int index, int token) {
    if (token < 0 || token >= confirmed(index)) {
      throw new IndexOutOfBoundsException("token " + token + " of " + confirmed(index));
    }
    return token;
  }

  private int rank(int index, int rank) {
    if (rank < 0 || rank >= candidates(index)) {
      throw new IndexOutOfBoundsException("candidate " + rank + " of " + candidates(index));
    }
    return rank;
  }

  private int step(int index) {
    return check(index) * STEP_BYTES;
  }

  private int result(int index) {
    return check(index) * RESULT_BYTES;
  }

  private int check(int index) {
    if (index < 0 || index >= size) {
      throw new IndexOutOfBoundsException("step " + index + " of " + size);
    }
    return index;
  }

  private int tokenOffset(int index) {
    return Integer.BYTES * (maxTokens + MAX_DRAFT) * index;
  }

  private int draftOffset(int index) {
    return tokenOffset(index) + Integer.BYTES * maxTokens;
  }

  long stepsAddress() {
    return steps.address();
  }

  long resultsAddress() {
    return results.address();
  }

  @Override
  public void close() {
    steps.close();
    results.close();
    tokens.close();
  }
}
