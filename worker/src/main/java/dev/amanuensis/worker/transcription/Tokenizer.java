package dev.amanuensis.worker.transcription;

import dev.amanuensis.worker.job.TranscriptionOptions.Task;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Whisper's tokens (openai/whisper tokenizer.py). All ids are derived from the file: they differ
 * between checkpoints. Immutable; for all threads.
 */
public final class Tokenizer {
  private static final int TIMESTAMPS = 1501;
  private static final int MULTILINGUAL_VOCABULARY = 51865;

  private final BytePairEncoder encoder;
  private final byte[][] bytes;
  private final List<String> languages;
  private final int eot;
  private final int sot;
  private final int translate;
  private final int transcribe;
  private final int startOfLm;
  private final int startOfPrev;
  private final int noSpeech;
  private final int noTimestamps;
  private final int[] nonSpeech;

  /** Reads a Hugging Face tokenizer.json; does not close the stream. */
  public static Tokenizer read(InputStream json) throws IOException {
    return new Tokenizer(TokenizerFile.read(json));
  }

  /**
   * Bytes as tokens, and Whisper base's special tokens where it has them: for work without a model.
   *
   * @param tokens texts that are one token beside the single bytes
   */
  public static Tokenizer ofBytes(String... tokens) {
    try {
      return new Tokenizer(TokenizerFile.ofBytes(tokens));
    } catch (IOException e) {
      throw new IllegalStateException(e); // what ofBytes makes is complete
    }
  }

  private Tokenizer(TokenizerFile file) throws IOException {
    Map<String, Integer> added = file.added();
    eot = special(added, "<|endoftext|>");
    sot = special(added, "<|startoftranscript|>");
    translate = special(added, "<|translate|>");
    transcribe = special(added, "<|transcribe|>");
    startOfLm = special(added, "<|startoflm|>");
    startOfPrev = special(added, "<|startofprev|>");
    // Hugging Face kept the name of the first release.
    noSpeech =
        special(added, added.containsKey("<|nospeech|>") ? "<|nospeech|>" : "<|nocaptions|>");
    noTimestamps = special(added, "<|notimestamps|>");
    bytes = new byte[noTimestamps + 1 + TIMESTAMPS][];
    fill(file);
    languages = bytes.length >= MULTILINGUAL_VOCABULARY ? languageCodes(added) : List.of();
    encoder = new BytePairEncoder(file.vocabulary());
    nonSpeech = NonSpeechTokens.of(encoder);
  }

  private static int special(Map<String, Integer> added, String token) throws IOException {
    Integer id = added.get(token);
    if (id == null) {
      throw new IOException("not a Whisper tokenizer: it has no token " + token);
    }
    return id;
  }

  private void fill(TokenizerFile file) throws IOException {
    for (Map.Entry<String, Integer> entry : file.vocabulary().entrySet()) {
      byte[] decoded = ByteAlphabet.decode(entry.getKey());
      if (decoded == null || entry.getValue() >= eot) {
        throw new IOException("not a byte-level token: " + entry);
      }
      bytes[entry.getValue()] = decoded;
    }
    for (Map.Entry<String, Integer> entry : file.added().entrySet()) {
      if (entry.getValue() < bytes.length) {
        bytes[entry.getValue()] = entry.getKey().getBytes(StandardCharsets.UTF_8);
      }
    }
    for (int i = 0; i < TIMESTAMPS; i++) {
      int hundredths = i % 50 * 2;
      String text = "<|" + i / 50 + (hundredths < 10 ? ".0" : ".") + hundredths + "|>";
      bytes[noTimestamps + 1 + i] = text.getBytes(StandardCharsets.UTF_8);
    }
    for (int b = 0; b < 256; b++) {
      if (!file.vocabulary().containsKey(ByteAlphabet.of(b))) {
        throw new IOException("not a byte-level vocabulary: byte " + b + " is missing");
      }
    }
  }

  private List<String> languageCodes(Map<String, Integer> added) throws IOException {
    TreeMap<Integer, String> codes = new TreeMap<>();
    for (Map.Entry<String, Integer> entry : added.entrySet()) {
      String token = entry.getKey();
      if (entry.getValue() > sot && entry.getValue() < translate && token.matches("<\\|.+\\|>")) {
        codes.put(entry.getValue(), token.substring(2, token.length() - 2));
      }
    }
    if (codes.size() != translate - sot - 1) {
      throw new IOException("not a Whisper tokenizer: language tokens are missing");
    }
    return List.copyOf(codes.values());
  }

  /** Tokens of the text. Special tokens in it are ordinary text. */
  public int[] encode(String text) {
    return encoder.encode(text);
  }

  /**
   * The text of the tokens without timestamps; U+FFFD where bytes are not UTF-8, as Python writes
   * it.
   */
  public String decode(int... tokens) {
    return decode(tokens, false);
  }

  /** The text of the tokens with timestamps as {@code <|1.08|>}. */
  public String decodeWithTimestamps(int... tokens) {
    return decode(tokens, true);
  }

  private String decode(int[] tokens, boolean timestamps) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(4 * tokens.length);
    for (int token : tokens) {
      if ((timestamps || token < timestampBegin()) && bytes[token] != null) {
        out.writeBytes(bytes[token]);
      }
    }
    byte[] all = out.toByteArray();
    return PythonText.decodeUtf8(all, all.length);
  }

  /** Start of transcript, and for a multilingual model language and task. */
  public int[] sotSequence(String language, Task task) {
    if (!multilingual()) {
      return new int[] {sot};
    }
    int index = languages.indexOf(language);
    if (index < 0) {
      throw new IllegalArgumentException("no language token for " + language);
    }
    return new int[] {sot, sot + 1 + index, task == Task.TRANSLATE ? translate : transcribe};
  }

  /**
   * The ids that a request to suppress {@code asked} means: -1 stands for the non-speech tokens,
   * and the special tokens are always among them. Ascending.
   */
  public int[] suppressed(List<Integer> asked) {
    List<Integer> ids = new ArrayList<>(asked);
    if (ids.removeIf(id -> id == -1)) {
      for (int id : nonSpeech) {
        ids.add(id);
      }
    }
    ids.addAll(List.of(transcribe, translate, sot, startOfPrev, startOfLm, noSpeech));
    return ids.stream().mapToInt(Integer::intValue).sorted().distinct().toArray();
  }

  /** Codes in the order of their tokens; empty if the model is English only. */
  public List<String> languages() {
    return languages;
  }

  public boolean multilingual() {
    return !languages.isEmpty();
  }

  /** Size of the vocabulary, timestamps included. */
  public int size() {
    return bytes.length;
  }

  /** End of text; smaller ids are text. */
  public int eot() {
    return eot;
  }

  public int sot() {
    return sot;
  }

  public int startOfPrev() {
    return startOfPrev;
  }

  public int noSpeech() {
    return noSpeech;
  }

  public int noTimestamps() {
    return noTimestamps;
  }

  /** The token of 0.00 s. */
  public int timestampBegin() {
    return noTimestamps + 1;
  }

  /** Ids of speaker tags, music signs and other annotations, ascending. */
  public int[] nonSpeechTokens() {
    return nonSpeech.clone();
  }
}
