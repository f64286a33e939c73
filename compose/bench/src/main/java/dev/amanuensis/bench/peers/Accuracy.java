package dev.amanuensis.bench.peers;

import dev.amanuensis.worker.evaluation.BasicNormalizer;
import dev.amanuensis.worker.evaluation.EnglishNormalizer;
import dev.amanuensis.worker.evaluation.TextNormalizer;
import dev.amanuensis.worker.evaluation.Wer;
import java.util.List;

/**
 * Word errors against texts that are taken as true.
 *
 * @param truth per file
 * @param languages per file: English has a normaliser of its own
 */
record Accuracy(List<String> truth, List<String> languages) {

  /** Errors per word of the truth. */
  double rate(List<String> texts) {
    long edits = 0;
    long words = 0;
    for (int i = 0; i < truth.size(); i++) {
      TextNormalizer normalizer =
          "en".equals(languages.get(i)) ? new EnglishNormalizer() : new BasicNormalizer();
      Wer wer = new Wer(normalizer);
      wer.add(truth.get(i), texts.get(i));
      edits += wer.edits();
      words += wer.referenceWords();
    }
    return (double) edits / words;
  }
}
