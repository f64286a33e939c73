package dev.amanuensis.worker.transcription;

import dev.amanuensis.worker.job.TranscriptionOptions;
import java.util.Arrays;

/** The tokens so far, and what of them the next window gets as prompt. */
final class PromptHistory {
  /** Above it the text is too adventurous to continue from. */
  private static final double RESET_TEMPERATURE = 0.5;

  private final boolean carryInitial;
  private final boolean condition;
  private final int[] initial;
  private final TokenList all = new TokenList();
  private int resetSince;

  PromptHistory(TranscriptionOptions options, Tokenizer tokenizer) {
    carryInitial = options.carryInitialPrompt();
    condition = options.conditionOnPreviousText();
    String prompt =
        options.initialPrompt() == null ? "" : PythonText.strip(options.initialPrompt());
    initial = prompt.isEmpty() ? new int[0] : tokenizer.encode(" " + prompt);
    all.addAll(initial);
  }

  /** The prompt of the next window; the decoder uses its last 223 tokens. */
  int[] prompt() {
    if (!carryInitial) {
      return all.from(resetSince);
    }
    int[] later = all.from(Math.max(initial.length, resetSince));
    // Python's later[-room:], whose meaning changes if the initial prompt leaves no room: all of it
    // for 0,
    // and without its first tokens for less.
    int room = Geometry.PROMPT_LENGTH - initial.length;
    int from = room > 0 ? Math.max(0, later.length - room) : Math.min(-room, later.length);
    return WordSplitter.concat(initial, Arrays.copyOfRange(later, from, later.length));
  }

  /** The last text tokens, at most so many: without timestamps. */
  int[] lastText(int most, int eot) {
    int[] text = Arrays.stream(all.from(all.size() - 2 * most)).filter(t -> t < eot).toArray();
    return Arrays.copyOfRange(text, Math.max(0, text.length - most), text.length);
  }

  void add(int[] tokens) {
    all.addAll(tokens);
  }

  void endWindow(double temperature) {
    if (!condition || temperature > RESET_TEMPERATURE) {
      resetSince = all.size();
    }
  }

  /** Tokens that are no prompt any more. */
  int resetSince() {
    return resetSince;
  }

  /** After the tokens of a predecessor were added. */
  void resetSince(int tokens) {
    resetSince = Math.min(tokens, all.size());
  }

  /** What was transcribed, without the initial prompt. */
  int[] spoken() {
    return all.from(initial.length);
  }
}
