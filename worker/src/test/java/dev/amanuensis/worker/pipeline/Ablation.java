package dev.amanuensis.worker.pipeline;

import dev.amanuensis.engine.EngineOptions;
import dev.amanuensis.engine.ModelPart;
import dev.amanuensis.engine.Profile;
import dev.amanuensis.worker.evaluation.BasicNormalizer;
import dev.amanuensis.worker.evaluation.EnglishNormalizer;
import dev.amanuensis.worker.evaluation.Wer;
import dev.amanuensis.worker.job.JobResult;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * What each economy of the fast profile changes in the text: words that differ from
 * openai/whisper's fp32 text, per clip, with the golden settings. Run by hand; docs/speed.md has
 * the table. Arguments: NAME=STRIDE,MARGIN[,PART IN F32...] for each column.
 */
final class Ablation {
  private Ablation() {}

  private static EngineOptions options(String[] values) {
    Set<ModelPart> inF32 = EnumSet.noneOf(ModelPart.class);
    for (int i = 2; i < values.length; i++) {
      inF32.add(ModelPart.valueOf(values[i]));
    }
    return new EngineOptions(
        Profile.FAST, inF32, Integer.parseInt(values[0]), Integer.parseInt(values[1]));
  }

  public static void main(String[] columns) throws Exception {
    List<String> files = null;
    Map<String, List<String>> cells = new LinkedHashMap<>();
    List<String> totals = new ArrayList<>();
    for (String column : columns) {
      EngineOptions options = options(column.substring(column.indexOf('=') + 1).split(","));
      try (Golden golden = new Golden(options)) {
        files = golden.files();
        long started = System.nanoTime();
        Map<String, CompletableFuture<JobResult>> results = new LinkedHashMap<>();
        for (String file : files) {
          results.put(file, golden.submit(file, false));
        }
        long edits = 0;
        long words = 0;
        for (String file : files) {
          JobResult result = results.get(file).get(10, TimeUnit.MINUTES);
          var reference = golden.transcripts.get(file).get("plain");
          boolean english = reference.get("language").asText().equals("en");
          Wer wer = new Wer(english ? new EnglishNormalizer() : new BasicNormalizer());
          String text = result.transcription().text();
          wer.add(reference.get("text").asText(), text);
          boolean loop =
              result.transcription().segments().stream().anyMatch(s -> s.compressionRatio() > 2.4);
          cells
              .computeIfAbsent(file, f -> new ArrayList<>())
              .add(wer.edits() + (loop ? " (loop)" : ""));
          if (wer.referenceWords() > 0) {
            edits += wer.edits();
            words += wer.referenceWords();
          }
          if (wer.edits() > 2 && Boolean.getBoolean("texts")) {
            System.out.println(file + "\n  < " + reference.get("text").asText() + "\n  > " + text);
          }
        }
        totals.add(String.format("%.2f %% of %d", 100.0 * edits / words, words));
        System.err.printf(
            "%s: %s, %.1f s%n",
            column, totals.get(totals.size() - 1), (System.nanoTime() - started) / 1e9);
      }
    }
    System.out.println("| clip | " + String.join(" | ", columns) + " |");
    System.out.println("|---|" + "---|".repeat(columns.length));
    for (String file : files) {
      System.out.println("| " + file + " | " + String.join(" | ", cells.get(file)) + " |");
    }
    System.out.println("| all speech | " + String.join(" | ", totals) + " |");
  }
}
