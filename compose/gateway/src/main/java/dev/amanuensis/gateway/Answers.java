package dev.amanuensis.gateway;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.amanuensis.cli.format.TranscriptDocument;
import dev.amanuensis.cli.format.TranscriptFormat;
import dev.amanuensis.cli.kafka.Outcomes;
import dev.amanuensis.schema.Segment;
import dev.amanuensis.schema.Status;
import dev.amanuensis.schema.Task;
import dev.amanuensis.schema.Transcript;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Transcripts in OpenAI's forms. */
final class Answers {
  static final ObjectMapper JSON = new ObjectMapper();

  private Answers() {}

  /**
   * @param contentType of the body
   */
  record Answer(String contentType, String body) {}

  /**
   * @param languageName for a code
   * @throws ApiException if the job failed
   */
  static Answer of(
      Transcript transcript, TranscriptionForm form, UnaryOperator<String> languageName) {
    failIfFailed(transcript);
    return switch (form.format()) {
      case JSON -> json(ordered("text", text(transcript), "usage", usage(transcript)));
      case TEXT -> new Answer("text/plain; charset=utf-8", text(transcript) + "\n");
      case SRT ->
          subtitles(transcript, TranscriptFormat.SRT, "application/x-subrip; charset=utf-8");
      case VTT -> subtitles(transcript, TranscriptFormat.VTT, "text/vtt; charset=utf-8");
      case VERBOSE_JSON -> json(verbose(transcript, form, languageName));
    };
  }

  static Answer json(Object value) {
    try {
      return new Answer("application/json", JSON.writeValueAsString(value));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e); // maps, lists, strings and numbers
    }
  }

  /**
   * A finished job, for those who come back for it.
   *
   * @param languageName for a code
   */
  static Answer jobs(Transcript transcript, UnaryOperator<String> languageName) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("id", transcript.getJobId());
    answer.put("status", transcript.getStatus().name().toLowerCase(Locale.ROOT));
    if (transcript.getStatus() == Status.COMPLETED) {
      answer.put("language", name(transcript.getLanguage(), languageName));
      answer.put("duration", transcript.getDuration());
      answer.put("text", text(transcript));
      answer.put("segments", transcript.getSegments().stream().map(Answers::segment).toList());
    } else {
      answer.put(
          "error",
          ordered("code", transcript.getErrorCode(), "message", transcript.getErrorMessage()));
    }
    return json(answer);
  }

  /** What the user did wrong is 400, everything else is ours; the workers have tried it again. */
  static void failIfFailed(Transcript transcript) {
    if (transcript.getStatus() == Status.COMPLETED) {
      return;
    }
    String code = transcript.getErrorCode() == null ? "INTERNAL" : transcript.getErrorCode();
    boolean theirs = code.startsWith("AUDIO_") || code.equals("INVALID_OPTION");
    int status = theirs ? 400 : transcript.getStatus() == Status.EXPIRED ? 504 : 500;
    throw ApiException.last(
        status, code.toLowerCase(Locale.ROOT), String.valueOf(transcript.getErrorMessage()));
  }

  static String text(Transcript transcript) {
    return transcript.getText().strip();
  }

  private static Answer subtitles(Transcript transcript, TranscriptFormat format, String type) {
    TranscriptDocument document = Outcomes.of(transcript).document();
    StringBuilder out = new StringBuilder();
    try {
      format.write(document, out);
    } catch (IOException e) {
      throw new IllegalStateException(e); // a StringBuilder throws none
    }
    return new Answer(type, out.toString());
  }

  private static Map<String, Object> verbose(
      Transcript transcript, TranscriptionForm form, UnaryOperator<String> languageName) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("task", form.task().name().toLowerCase(Locale.ROOT));
    answer.put(
        "language",
        form.task() == Task.TRANSLATE ? "english" : name(transcript.getLanguage(), languageName));
    answer.put("duration", transcript.getDuration());
    answer.put("text", text(transcript));
    if (form.words()) {
      List<Map<String, Object>> words = new ArrayList<>();
      for (Segment segment : transcript.getSegments()) {
        segment
            .getWords()
            .forEach(
                w ->
                    words.add(
                        ordered(
                            "word",
                            w.getWord().strip(),
                            "start",
                            w.getStart(),
                            "end",
                            w.getEnd())));
      }
      answer.put("words", words);
    }
    if (form.segments()) {
      answer.put("segments", transcript.getSegments().stream().map(Answers::segment).toList());
    }
    answer.put("usage", usage(transcript));
    return answer;
  }

  /** As OpenAI bills Whisper: by whole seconds. */
  private static Map<String, Object> usage(Transcript transcript) {
    return ordered("type", "duration", "seconds", (long) Math.ceil(transcript.getDuration()));
  }

  private static Map<String, Object> segment(Segment s) {
    return ordered(
        "id", s.getId(),
        "seek", s.getSeek(),
        "start", s.getStart(),
        "end", s.getEnd(),
        "text", s.getText(),
        "tokens", s.getTokens(),
        "temperature", s.getTemperature(),
        "avg_logprob", finite(s.getAvgLogprob()),
        "compression_ratio", finite(s.getCompressionRatio()),
        "no_speech_prob", finite(s.getNoSpeechProb()));
  }

  /** JSON has no NaN. */
  private static Double finite(double value) {
    return Double.isFinite(value) ? value : null;
  }

  private static Map<String, Object> ordered(Object... pairs) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      map.put((String) pairs[i], pairs[i + 1]);
    }
    return map;
  }

  /** OpenAI writes Whisper's English name: "english". */
  private static String name(String code, UnaryOperator<String> languageName) {
    return code == null ? null : languageName.apply(code);
  }
}
