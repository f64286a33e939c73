package dev.amanuensis.worker.evaluation;

/** Brings reference and hypothesis into one form before their words are compared. */
public interface TextNormalizer {
  /** The text in lower case, without punctuation, words separated by spaces. */
  String normalize(String text);
}
