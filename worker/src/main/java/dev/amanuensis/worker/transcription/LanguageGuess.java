package dev.amanuensis.worker.transcription;

/**
 * A detected language.
 *
 * @param code for example "en"
 * @param probability of it among the model's languages
 */
public record LanguageGuess(String code, double probability) {

  /**
   * The most probable language.
   *
   * @param probabilities by language, in the order of the language tokens
   */
  public static LanguageGuess of(Tokenizer tokenizer, float[] probabilities) {
    int best = 0;
    for (int i = 1; i < probabilities.length; i++) {
      if (probabilities[i] > probabilities[best]) {
        best = i;
      }
    }
    return new LanguageGuess(tokenizer.languages().get(best), probabilities[best]);
  }
}
