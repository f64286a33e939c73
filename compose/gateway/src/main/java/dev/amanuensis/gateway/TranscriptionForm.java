package dev.amanuensis.gateway;

import dev.amanuensis.cli.kafka.JobIds;
import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.Task;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * The fields of OpenAI's request, checked.
 *
 * @param jobId new, or the client's own
 * @param words whether word times are wanted
 * @param segments whether segments are wanted in verbose_json
 * @param stream whether the text is wanted as it becomes final
 */
record TranscriptionForm(
    String jobId,
    Task task,
    Format format,
    String language,
    String prompt,
    float temperature,
    boolean words,
    boolean segments,
    boolean stream) {
  /** Names that clients may ask for: ours, and OpenAI's for the same family. */
  static final List<String> MODELS = List.of("whisper-1", "whisper-base");

  private static final Set<String> GRANULARITIES = Set.of("word", "segment");
  private static final int MAX_PROMPT = 10_000;

  /** How the answer is written. */
  enum Format {
    JSON,
    TEXT,
    SRT,
    VTT,
    VERBOSE_JSON
  }

  /**
   * @param fields of the form, by name
   * @param jobId that the client wants, or null
   * @throws ApiException 400 or 404
   */
  static TranscriptionForm of(Task task, Map<String, List<String>> fields, String jobId) {
    String model = first(fields, "model");
    if (model == null) {
      throw ApiException.invalid("model", "the field model is missing; use whisper-1");
    }
    if (!MODELS.contains(model)) {
      throw ApiException.of(
          404,
          "model_not_found",
          "there is no model '%s'; there are %s".formatted(model, String.join(", ", MODELS)));
    }
    Format format = format(first(fields, "response_format"));
    Set<String> granularities = granularities(fields);
    if (!granularities.isEmpty() && format != Format.VERBOSE_JSON) {
      throw ApiException.invalid(
          "timestamp_granularities", "timestamp_granularities needs response_format verbose_json");
    }
    String prompt = first(fields, "prompt");
    if (prompt != null && prompt.length() > MAX_PROMPT) {
      throw ApiException.invalid(
          "prompt", "the prompt has more than %d characters".formatted(MAX_PROMPT));
    }
    String language = first(fields, "language");
    return new TranscriptionForm(
        id(jobId),
        task,
        format,
        language == null ? null : language.toLowerCase(Locale.ROOT),
        prompt,
        temperature(first(fields, "temperature")),
        granularities.contains("word"),
        granularities.isEmpty() || granularities.contains("segment"),
        flag("stream", first(fields, "stream")));
  }

  private static String id(String given) {
    if (given == null || given.isBlank()) {
      return JobIds.next();
    }
    try {
      UUID id = UUID.fromString(given);
      if (id.version() == 7 && id.toString().equalsIgnoreCase(given)) {
        return id.toString();
      }
    } catch (IllegalArgumentException e) {
      // the same message
    }
    throw ApiException.invalid(
        "X-Job-Id", "X-Job-Id must be a UUID of version 7: results are found by its time");
  }

  private static Format format(String name) {
    if (name == null) {
      return Format.JSON;
    }
    for (Format format : Format.values()) {
      if (format.name().toLowerCase(Locale.ROOT).equals(name)) {
        return format;
      }
    }
    throw ApiException.invalid(
        "response_format",
        "unknown response_format '%s'; use json, text, srt, vtt or verbose_json".formatted(name));
  }

  private static Set<String> granularities(Map<String, List<String>> fields) {
    List<String> all = new ArrayList<>(fields.getOrDefault("timestamp_granularities[]", List.of()));
    all.addAll(fields.getOrDefault("timestamp_granularities", List.of()));
    for (String granularity : all) {
      if (!GRANULARITIES.contains(granularity)) {
        throw ApiException.invalid(
            "timestamp_granularities",
            "unknown granularity '%s'; use word or segment".formatted(granularity));
      }
    }
    return Set.copyOf(all);
  }

  private static float temperature(String text) {
    if (text == null) {
      return 0;
    }
    try {
      float t = Float.parseFloat(text);
      if (t >= 0 && t <= 1) {
        return t;
      }
    } catch (NumberFormatException e) {
      // the same message
    }
    throw ApiException.invalid("temperature", "temperature must be a number from 0 to 1");
  }

  private static boolean flag(String name, String text) {
    if (text == null) {
      return false;
    }
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "true", "1" -> true;
      case "false", "0", "" -> false;
      default -> throw ApiException.invalid(name, name + " must be true or false");
    };
  }

  private static String first(Map<String, List<String>> fields, String name) {
    List<String> values = fields.getOrDefault(name, List.of());
    return values.isEmpty() || values.get(0).isBlank() ? null : values.get(0).strip();
  }

  /** The job's record, without its audio. */
  AudioJob job(String fileName, String contentType) {
    AudioJob job = AudioJob.newBuilder().build();
    job.setJobId(jobId);
    job.setContentType(contentType);
    job.setSubmittedAt(Instant.now().truncatedTo(ChronoUnit.MILLIS));
    job.setMetadata(new HashMap<>(Map.of("file", fileName)));
    job.setLanguage(language);
    job.setTask(task);
    job.setWordTimestamps(words);
    job.setInitialPrompt(prompt);
    job.setTemperatures(temperatures());
    return job;
  }

  /** OpenAI's rule: 0 lets the model raise it until the thresholds are met; so do the others. */
  private List<Float> temperatures() {
    List<Float> all = new ArrayList<>();
    for (int i = 0; temperature + i * 0.2f <= 1.0001f; i++) {
      all.add(Math.min(1f, Math.round((temperature + i * 0.2f) * 100) / 100f));
    }
    return all;
  }
}
