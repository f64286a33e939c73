package dev.amanuensis.worker.transcription;

import java.util.List;
import java.util.TreeSet;

/**
 * Tokens that begin annotations which are not spoken, such as "(LAUGHTER)" or a row of notes
 * (openai/whisper tokenizer.py, non_speech_tokens).
 */
final class NonSpeechTokens {
  private static final String SIGNS = "\"#()*+/:;<=>@[\\]^_`{|}~「」『』";
  private static final List<String> GROUPS =
      List.of(
          "<<", ">>", "<<<", ">>>", "--", "---", "-(", "-[", "('", "(\"", "((", "))", "(((", ")))",
          "[[", "]]", "{{", "}}", "♪♪", "♪♪♪");

  /** Written with several tokens in some vocabularies: their first token is specific enough. */
  private static final String MUSIC = "♩♪♫♬♭♮♯";

  private NonSpeechTokens() {}

  static int[] of(BytePairEncoder encoder) {
    TreeSet<Integer> ids = new TreeSet<>();
    // Hyphens and quotes are fine inside a word, not at its beginning.
    ids.add(encoder.encode(" -")[0]);
    ids.add(encoder.encode(" '")[0]);
    for (String sign : SIGNS.split("")) {
      add(ids, encoder, sign, false);
    }
    for (String group : GROUPS) {
      add(ids, encoder, group, false);
    }
    for (String sign : MUSIC.split("")) {
      add(ids, encoder, sign, true);
    }
    return ids.stream().mapToInt(Integer::intValue).toArray();
  }

  private static void add(
      TreeSet<Integer> ids, BytePairEncoder encoder, String text, boolean firstOfMany) {
    for (String form : List.of(text, " " + text)) {
      int[] tokens = encoder.encode(form);
      if (tokens.length == 1 || firstOfMany) {
        ids.add(tokens[0]);
      }
    }
  }
}
