package dev.amanuensis.worker.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import dev.amanuensis.engine.EngineOptions;
import dev.amanuensis.engine.ModelPart;
import dev.amanuensis.engine.Profile;
import dev.amanuensis.worker.evaluation.BasicNormalizer;
import dev.amanuensis.worker.evaluation.EnglishNormalizer;
import dev.amanuensis.worker.evaluation.Wer;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.TranscriptionResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * What each economy of the fast profile changes in the text: words that differ from
 * openai/whisper's fp32 text, per clip, with the golden settings. Run by hand; docs/speed.md has
 * the table. Arguments: NAME=STRIDE,MARGIN[,PART IN F32...] for each column. With -Daudio=DIR the
 * clips are the WAV files of that directory, and what they are compared with is our reference
 * profile's text.
 */
final class Ablation {
  private static final int MOST_AT_ONCE = 12;

  private Ablation() {}

  /**
   * @param column NAME=STRIDE,MARGIN[,PART IN F32...]
   */
  static EngineOptions options(String column) {
    String[] values = column.substring(column.indexOf('=') + 1).split(",");
    Set<ModelPart> inF32 = EnumSet.noneOf(ModelPart.class);
    for (int i = 2; i < values.length; i++) {
      inF32.add(ModelPart.valueOf(values[i]));
    }
    return new EngineOptions(
        Profile.FAST, inF32, Integer.parseInt(values[0]), Integer.parseInt(values[1]));
  }

  static List<Path> wavFiles(String directory) throws IOException {
    try (Stream<Path> all = Files.list(Path.of(directory))) {
      return all.filter(f -> f.toString().endsWith(".wav")).sorted().toList();
    }
  }

  private record Expected(byte[] audio, String text, String language) {}

  private static Map<String, Expected> expected() throws Exception {
    Map<String, Expected> clips = new LinkedHashMap<>();
    String directory = System.getProperty("audio");
    try (Golden golden = new Golden(Profile.REFERENCE)) {
      if (directory == null) {
        for (String file : golden.files()) {
          JsonNode plain = golden.transcripts.get(file).get("plain");
          byte[] audio = Files.readAllBytes(Golden.SPEECH.resolve(file));
          String text = plain.get("text").asText();
          clips.put(file, new Expected(audio, text, plain.get("language").asText()));
        }
        return clips;
      }
      for (Path file : wavFiles(directory)) {
        byte[] audio = Files.readAllBytes(file);
        Path kept = Path.of(file + ".reference");
        if (!Files.exists(kept)) {
          TranscriptionResult result =
              golden.submit(audio, Golden.options(false)).get(10, TimeUnit.MINUTES).transcription();
          Files.writeString(kept, result.language() + "\n" + result.text());
        }
        String[] lines = Files.readString(kept).split("\n", 2);
        clips.put(file.getFileName().toString(), new Expected(audio, lines[1], lines[0]));
      }
    }
    return clips;
  }

  public static void main(String[] columns) throws Exception {
    Map<String, Expected> expected = expected();
    List<String> files = List.copyOf(expected.keySet());
    Map<String, List<String>> cells = new LinkedHashMap<>();
    List<String> totals = new ArrayList<>();
    for (String column : columns) {
      EngineOptions options = options(column);
      try (Golden golden = new Golden(options)) {
        long started = System.nanoTime();
        Map<String, CompletableFuture<JobResult>> results = new LinkedHashMap<>();
        Semaphore room = new Semaphore(MOST_AT_ONCE);
        for (String file : files) {
          room.acquire();
          CompletableFuture<JobResult> result =
              golden.submit(expected.get(file).audio(), Golden.options(false));
          result.whenComplete((r, e) -> room.release());
          results.put(file, result);
        }
        long edits = 0;
        long words = 0;
        for (String file : files) {
          JobResult result = results.get(file).get(10, TimeUnit.MINUTES);
          String reference = expected.get(file).text();
          boolean english = expected.get(file).language().equals("en");
          Wer wer = new Wer(english ? new EnglishNormalizer() : new BasicNormalizer());
          String text = result.transcription().text();
          wer.add(reference, text);
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
            System.out.println(file + "\n  < " + reference + "\n  > " + text);
          }
        }
        totals.add(String.format("%.2f %% of %d", 100.0 * edits / words, words));
        System.err.printf(
            "%s: %s, %.1f s, %s windows encoded again%n",
            column,
            totals.get(totals.size() - 1),
            (System.nanoTime() - started) / 1e9,
            golden.encodedAgain);
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
