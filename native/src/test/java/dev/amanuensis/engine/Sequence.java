package dev.amanuensis.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** One greedy sequence: its tokens, and the bits of the log-probability of each. */
final class Sequence {
  /** openai/whisper's list for suppress_tokens="-1": masked tokens take no share of the softmax. */
  static final int[] SUPPRESS = {
    1, 2, 7, 8, 9, 10, 14, 25, 26, 27, 28, 29, 31, 58, 59, 60, 61, 62, 63, 90, 91, 92, 93, 359, 503,
    522, 542, 873, 893, 902, 918, 922, 931, 1350, 1853, 1982, 2460, 2627, 3246, 3253, 3268, 3536,
    3846, 3961, 4183, 4667, 6585, 6647, 7273, 9061, 9383, 10428, 10929, 11938, 12033, 12331, 12562,
    13793, 14157, 14635, 15265, 15618, 16553, 16604, 18362, 18956, 20075, 21675, 22520, 26130,
    26161, 26435, 28279, 29464, 31650, 32302, 32470, 36865, 42863, 47425, 49870, 50254, 50258,
    50358, 50359, 50360, 50361, 50362
  };

  static final SlotOptions OPTIONS = new SlotOptions(true, true, 50, SUPPRESS);

  final int slot;
  final List<Integer> tokens = new ArrayList<>();
  final List<Integer> bits = new ArrayList<>();
  float noSpeech = Float.NaN;
  private final int[] prompt;

  Sequence(DecoderBatch decoder, NativeBuffer crossKv, int[] prompt) {
    this(decoder.openSlot(crossKv, OPTIONS), prompt);
  }

  private Sequence(int slot, int[] prompt) {
    this.slot = slot;
    this.prompt = prompt;
  }

  Sequence fork(int forkedSlot) {
    Sequence fork = new Sequence(forkedSlot, prompt);
    fork.tokens.addAll(tokens);
    fork.bits.addAll(bits);
    return fork;
  }

  boolean ended() {
    return !tokens.isEmpty() && tokens.get(tokens.size() - 1) == 50257;
  }

  void add(StepBatch steps) {
    if (tokens.isEmpty()) {
      steps.noSpeechRow(steps.addPrompt(slot, prompt), prompt.length - 3);
    } else {
      steps.add(slot, tokens.get(tokens.size() - 1));
    }
  }

  void take(StepBatch steps, int index) {
    if (tokens.isEmpty()) {
      noSpeech = steps.noSpeechProbability(index);
    }
    tokens.add(steps.token(index));
    bits.add(Float.floatToRawIntBits(steps.logprob(index)));
  }

  double logprob() {
    return bits.stream().mapToDouble(Float::intBitsToFloat).sum();
  }

  /** Prompts of other lengths and languages, so that the neighbours differ in every respect. */
  static int[] otherPrompt(int i) {
    int[] prompt = new int[3 + 5 * i];
    Arrays.fill(prompt, 1941 + i);
    prompt[0] = i % 2 == 0 ? 50361 : Jfk.SOT;
    prompt[prompt.length - 3] = Jfk.SOT;
    prompt[prompt.length - 2] = Jfk.EN + 1 + i;
    prompt[prompt.length - 1] = Jfk.TRANSCRIBE;
    return prompt;
  }

  /** Steps all sequences together until each has ended or has taken so many steps. */
  static void decode(DecoderBatch decoder, List<Sequence> sequences, int maxSteps) {
    try (StepBatch steps = decoder.newSteps()) {
      for (int step = 0; step < maxSteps; step++) {
        steps.clear();
        List<Sequence> live = sequences.stream().filter(s -> !s.ended()).toList();
        for (Sequence sequence : live) {
          sequence.add(steps);
        }
        decoder.step(steps);
        for (int i = 0; i < live.size(); i++) {
          live.get(i).take(steps, i);
        }
      }
    }
  }
}
