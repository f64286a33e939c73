package dev.amanuensis.worker.transcription;

import java.util.Arrays;

/**
 * What the decoder is given before it samples: history, start of transcript, prefix (openai/whisper
 * decoding.py, _get_initial_tokens).
 *
 * @param tokens all of them
 * @param sotIndex position of the start of the transcript in {@code tokens}
 */
record InitialTokens(int[] tokens, int sotIndex) {

  static InitialTokens of(DecodingRequest request, Tokenizer tokenizer) {
    int[] start = tokenizer.sotSequence(request.language(), request.options().task());
    if (request.options().withoutTimestamps()) {
      start = WordSplitter.concat(start, new int[] {tokenizer.noTimestamps()});
    }
    // History and prefix together must leave the context room for at least one sampled token.
    int prefixLength = Geometry.PROMPT_LENGTH - start.length;
    int[] tokens = WordSplitter.concat(start, tail(request.prefix(), prefixLength));
    int[] prompt = request.prompt();
    if (prompt.length == 0) {
      return new InitialTokens(tokens, 0);
    }
    int[] history =
        WordSplitter.concat(
            new int[] {tokenizer.startOfPrev()}, tail(prompt, Geometry.PROMPT_LENGTH));
    return new InitialTokens(WordSplitter.concat(history, tokens), history.length);
  }

  private static int[] tail(int[] tokens, int most) {
    return Arrays.copyOfRange(tokens, Math.max(0, tokens.length - most), tokens.length);
  }
}
