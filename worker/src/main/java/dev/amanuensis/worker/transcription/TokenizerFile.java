package dev.amanuensis.worker.transcription;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The parts of a Hugging Face tokenizer.json that Whisper needs.
 *
 * @param vocabulary id by token, in {@link ByteAlphabet} writing
 * @param added id by special token
 */
record TokenizerFile(Map<String, Integer> vocabulary, Map<String, Integer> added) {
  /** Larger than any tokenizer.json of a Whisper checkpoint. */
  private static final int MAX_ENTRIES = 1 << 20;

  /** Does not intern field names: here each token is one, and that would take most of the time. */
  private static final JsonFactory JSON =
      JsonFactory.builder().disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES).build();

  /** Single bytes and the given texts, and the special tokens at Whisper base's ids. */
  static TokenizerFile ofBytes(String... tokens) {
    Map<String, Integer> vocabulary = new HashMap<>();
    for (int b = 0; b < 256; b++) {
      vocabulary.put(ByteAlphabet.of(b), b);
    }
    for (String token : tokens) {
      vocabulary.put(ByteAlphabet.encode(token), vocabulary.size());
    }
    Map<String, Integer> added = new HashMap<>();
    int id = 50_257;
    added.put("<|endoftext|>", id++);
    added.put("<|startoftranscript|>", id++);
    for (String language : Languages.codes()) {
      added.put("<|" + language + "|>", id++);
    }
    for (String special :
        List.of(
            "translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")) {
      added.put("<|" + special + "|>", id++);
    }
    return new TokenizerFile(vocabulary, added);
  }

  static TokenizerFile read(InputStream json) throws IOException {
    Map<String, Integer> vocabulary = new HashMap<>(1 << 17);
    Map<String, Integer> added = new HashMap<>();
    try (JsonParser parser = JSON.createParser(json)) {
      expect(parser, parser.nextToken(), JsonToken.START_OBJECT);
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String field = parser.currentName();
        parser.nextToken();
        switch (field) {
          case "added_tokens" -> readAdded(parser, added);
          case "model" -> readModel(parser, vocabulary);
          default -> parser.skipChildren();
        }
      }
    }
    vocabulary.keySet().removeAll(added.keySet());
    return new TokenizerFile(vocabulary, added);
  }

  private static void readModel(JsonParser parser, Map<String, Integer> vocabulary)
      throws IOException {
    expect(parser, parser.currentToken(), JsonToken.START_OBJECT);
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      boolean entries = parser.currentName().equals("vocab");
      parser.nextToken();
      if (!entries) {
        parser.skipChildren();
        continue;
      }
      expect(parser, parser.currentToken(), JsonToken.START_OBJECT);
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String token = parser.currentName();
        parser.nextToken();
        put(parser, vocabulary, token, parser.getIntValue());
      }
    }
  }

  private static void readAdded(JsonParser parser, Map<String, Integer> added) throws IOException {
    expect(parser, parser.currentToken(), JsonToken.START_ARRAY);
    while (parser.nextToken() == JsonToken.START_OBJECT) {
      int id = -1;
      String content = null;
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String field = parser.currentName();
        parser.nextToken();
        if (field.equals("id")) {
          id = parser.getIntValue();
        } else if (field.equals("content")) {
          content = parser.getText();
        } else {
          parser.skipChildren();
        }
      }
      put(parser, added, content, id);
    }
  }

  private static void put(JsonParser parser, Map<String, Integer> ids, String token, int id)
      throws IOException {
    if (token == null || id < 0 || id >= MAX_ENTRIES || ids.size() >= MAX_ENTRIES) {
      throw new IOException("tokenizer.json: bad token " + token + " = " + id + at(parser));
    }
    ids.put(token, id);
  }

  private static void expect(JsonParser parser, JsonToken actual, JsonToken expected)
      throws IOException {
    if (actual != expected) {
      throw new IOException(
          "tokenizer.json: " + expected + " expected, not " + actual + at(parser));
    }
  }

  private static String at(JsonParser parser) {
    return " at line " + parser.currentLocation().getLineNr();
  }
}
