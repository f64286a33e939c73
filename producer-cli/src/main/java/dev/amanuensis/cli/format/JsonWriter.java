package dev.amanuensis.cli.format;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;

/** One document on one line, so that several make JSON Lines. */
public final class JsonWriter implements TranscriptWriter {
  private static final JsonFactory FACTORY = new JsonFactory();

  private final String jobId;

  JsonWriter() {
    this(null);
  }

  /** For readers of many jobs: the line begins with the job's id. */
  public JsonWriter(String jobId) {
    this.jobId = jobId;
  }

  @Override
  public void write(TranscriptDocument document, Appendable out) throws IOException {
    StringWriter line = new StringWriter();
    try (JsonGenerator json = FACTORY.createGenerator(line)) {
      json.writeStartObject();
      if (jobId != null) {
        json.writeStringField("job_id", jobId);
      }
      json.writeStringField("file", document.file());
      json.writeStringField("text", document.text());
      json.writeStringField("language", document.language());
      json.writeNumberField("duration", document.duration());
      json.writeArrayFieldStart("segments");
      for (TranscriptDocument.Segment segment : document.segments()) {
        writeSegment(segment, json);
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    out.append(line.getBuffer()).append('\n');
  }

  private static void writeSegment(TranscriptDocument.Segment segment, JsonGenerator json)
      throws IOException {
    json.writeStartObject();
    json.writeNumberField("id", segment.id());
    json.writeNumberField("seek", segment.seek());
    json.writeNumberField("start", segment.start());
    json.writeNumberField("end", segment.end());
    json.writeStringField("text", segment.text());
    json.writeArrayFieldStart("tokens");
    for (int token : segment.tokens()) {
      json.writeNumber(token);
    }
    json.writeEndArray();
    json.writeNumberField("temperature", segment.temperature());
    writeFinite(json, "avg_logprob", segment.avgLogprob());
    writeFinite(json, "compression_ratio", segment.compressionRatio());
    writeFinite(json, "no_speech_prob", segment.noSpeechProb());
    if (segment.words() != null) {
      json.writeArrayFieldStart("words");
      for (TranscriptDocument.Word word : segment.words()) {
        json.writeStartObject();
        json.writeStringField("word", word.word());
        json.writeNumberField("start", word.start());
        json.writeNumberField("end", word.end());
        json.writeNumberField("probability", word.probability());
        json.writeEndObject();
      }
      json.writeEndArray();
    }
    json.writeEndObject();
  }

  /** JSON has no NaN and no infinity: null says that there is no number. */
  private static void writeFinite(JsonGenerator json, String name, double value)
      throws IOException {
    if (Double.isFinite(value)) {
      json.writeNumberField(name, value);
    } else {
      json.writeNullField(name);
    }
  }
}
