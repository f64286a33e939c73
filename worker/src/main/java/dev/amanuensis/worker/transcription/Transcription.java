package dev.amanuensis.worker.transcription;

import dev.amanuensis.worker.job.Chunking;
import dev.amanuensis.worker.job.JobException;
import dev.amanuensis.worker.job.Progress;
import dev.amanuensis.worker.job.Segment;
import dev.amanuensis.worker.job.TranscriptionOptions;
import dev.amanuensis.worker.job.TranscriptionResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The state of one job under the rules of openai/whisper's transcribe(). A state machine: {@link
 * #next()}, decode the window, {@link #accept}, and {@link #acceptAlignment} if that asked for one,
 * until next() is empty. One thread at a time.
 */
public final class Transcription {
  private static final int[] NO_TOKENS = {};

  /** Text tokens that the next window is compared with: about half an hour of speech. */
  private static final int MOST_EXPECTED = 8192;

  private final TranscriptionOptions options;
  private final Tokenizer tokenizer;
  private final long samples;
  private final long contentFrames;
  private final LanguageGuess language;
  private final WordSplitter splitter;
  private final SeekClips clips;
  private final PromptHistory history;
  private final List<Segment> segments = new ArrayList<>();

  private boolean ofSpeech;
  private long seek;
  private double lastSpeech;
  private WindowRequest window;
  private DecodingResult decoded;
  private WindowSegments cut;
  private int[] rest = NO_TOKENS;

  /**
   * @param samples of the file at 16 kHz
   * @param detected language; null where {@link #detectsLanguage} is false
   * @throws JobException INVALID_OPTION
   */
  public Transcription(
      TranscriptionOptions options, Tokenizer tokenizer, long samples, LanguageGuess detected)
      throws JobException {
    OptionCheck.check(options, tokenizer);
    this.options = options;
    this.tokenizer = tokenizer;
    this.samples = samples;
    this.contentFrames = samples / Geometry.HOP;
    this.language = language(options, tokenizer, detected);
    this.splitter = new WordSplitter(tokenizer, language.code());
    this.clips = new SeekClips(options.clipTimestamps(), contentFrames);
    this.history = new PromptHistory(options, tokenizer);
  }

  /**
   * One chunk of a file that is transcribed in chunks. Where it was cut out as speech, a text that
   * ends too early is gone on with; openai/whisper, with silence to expect, skips the rest.
   *
   * @throws JobException INVALID_OPTION
   */
  static Transcription ofChunk(
      TranscriptionOptions options,
      Tokenizer tokenizer,
      long samples,
      LanguageGuess detected,
      Chunk chunk)
      throws JobException {
    TranscriptionOptions own =
        options.with(
            List.of(Geometry.seconds(chunk.first()), Geometry.seconds(chunk.end())), Chunking.NONE);
    Transcription t = new Transcription(own, tokenizer, samples, detected);
    t.lastSpeech = Geometry.seconds(chunk.first());
    t.ofSpeech = options.chunking() == Chunking.VAD;
    return t;
  }

  /**
   * Goes on where a predecessor was.
   *
   * @param from of a job with the same audio, options and model
   * @throws IllegalArgumentException if it does not fit this file
   * @throws JobException INVALID_OPTION
   */
  public static Transcription resume(
      TranscriptionOptions options, Tokenizer tokenizer, long samples, Progress from)
      throws JobException {
    LanguageGuess guess = new LanguageGuess(from.language(), from.languageProbability());
    Transcription t = new Transcription(options, tokenizer, samples, guess);
    if (from.contentFrames() != t.contentFrames
        || from.seek() < 0
        || from.seek() > t.contentFrames
        || !from.language().equals(t.language.code())) {
      throw new IllegalArgumentException(
          "progress of %d frames in %s at %d, the file has %d in %s"
              .formatted(
                  from.contentFrames(),
                  from.language(),
                  from.seek(),
                  t.contentFrames,
                  t.language.code()));
    }
    t.clips.current(from.clip());
    for (Segment segment : from.segments()) {
      t.segments.add(segment);
      t.history.add(TokenList.toArray(segment.tokens()));
    }
    t.history.resetSince(from.resetSince());
    t.seek = from.seek();
    t.lastSpeech = from.lastSpeech();
    return t;
  }

  /**
   * What {@link #resume} needs. Between two windows: not while one is out.
   *
   * @param audioSha256 to note with it
   */
  public Progress progress(String audioSha256) {
    if (cut != null) {
      throw new IllegalStateException("alignment is awaited");
    }
    return new Progress(
        segments,
        language.code(),
        language.probability(),
        seek,
        contentFrames,
        clips.current(),
        lastSpeech,
        history.resetSince(),
        audioSha256);
  }

  private static LanguageGuess language(
      TranscriptionOptions options, Tokenizer tokenizer, LanguageGuess detected) {
    if (!detectsLanguage(options, tokenizer)) {
      String given = options.language();
      return new LanguageGuess(given == null ? "en" : Languages.code(given), 1.0);
    }
    if (detected == null || !tokenizer.languages().contains(detected.code())) {
      throw new IllegalArgumentException("the language has to be detected first: " + detected);
    }
    return detected;
  }

  /** Whether the language has to be detected on the first window before the work starts. */
  public static boolean detectsLanguage(TranscriptionOptions options, Tokenizer tokenizer) {
    return options.language() == null && tokenizer.multilingual();
  }

  /** The next window, or empty at the end. Returns the same window until it is accepted. */
  public Optional<WindowRequest> next() {
    if (window == null) {
      long at = clips.advance(seek);
      if (at < 0) {
        return Optional.empty();
      }
      seek = at;
      long left = Math.min(contentFrames, clips.end()) - seek;
      int frames = (int) Math.min(Geometry.WINDOW_FRAMES, left);
      window =
          new WindowRequest(
              seek,
              frames,
              new DecodingRequest(
                  options, language.code(), seek, history.prompt(), NO_TOKENS, expected()));
    }
    return Optional.of(window);
  }

  private Expected expected() {
    return new Expected(history.lastText(MOST_EXPECTED, tokenizer.eot()), rest);
  }

  /**
   * Takes the window's tokens. If an alignment is returned, {@link #acceptAlignment} must follow.
   */
  public Optional<AlignmentRequest> accept(DecodingResult result) {
    if (window == null || cut != null) {
      throw new IllegalStateException(window == null ? "no window is out" : "alignment is awaited");
    }
    if (silent(result)) {
      seek = window.seek() + window.frames();
      rest = NO_TOKENS;
      window = null;
      return Optional.empty();
    }
    decoded = result;
    cut = WindowSegments.cut(tokenizer, result, window.seek(), window.frames());
    if (ofSpeech) {
      cut = cut.goingOnAfterText(window.seek() + window.frames());
    }
    if (!options.wordTimestamps()) {
      complete(cut.nextSeek(), true);
      return Optional.empty();
    }
    int[] text = windowText();
    if (text.length == 0 || window.frames() < Geometry.FRAMES_PER_TIMESTAMP) {
      completeWithWords(List.of());
      return Optional.empty();
    }
    int[] sot = tokenizer.sotSequence(language.code(), options.task());
    return Optional.of(new AlignmentRequest(sot, text, window.frames()));
  }

  /** No speech is probable, and the text is not: there is nothing in this window. */
  private boolean silent(DecodingResult result) {
    if (options.noSpeechThreshold() == null
        || !(result.noSpeechProb() > options.noSpeechThreshold())) {
      return false;
    }
    return options.logprobThreshold() == null
        || !(result.avgLogprob() > options.logprobThreshold());
  }

  private int[] windowText() {
    TokenList text = new TokenList();
    for (SegmentDraft segment : cut.segments()) {
      text.addAll(WindowSegments.textTokens(tokenizer, segment.tokens));
    }
    return text.from(0);
  }

  /**
   * @param startFrames one more than text tokens; frame (0.02 s) at which each is entered
   * @param probabilities one per text token
   */
  public void acceptAlignment(int[] startFrames, float[] probabilities) {
    if (cut == null) {
      throw new IllegalStateException("no alignment is awaited");
    }
    int[] text = windowText();
    if (startFrames.length != text.length + 1 || probabilities.length != text.length) {
      throw new IllegalArgumentException(
          "%d start frames and %d probabilities for %d text tokens"
              .formatted(startFrames.length, probabilities.length, text.length));
    }
    completeWithWords(WordTiming.of(tokenizer, splitter, text, startFrames, probabilities));
  }

  private void completeWithWords(List<WordTiming> timings) {
    List<SegmentDraft> drafts = cut.segments();
    long start = window.seek();
    long next = cut.nextSeek();
    WordTimestamps.add(drafts, timings, tokenizer, start, lastSpeech);
    Double end = SegmentDraft.endOf(drafts);
    if (!cut.singleTimestampEnding() && end != null && end > Geometry.seconds(start)) {
      next = (long) Math.rint(end * Geometry.FRAMES_PER_SECOND);
    }
    boolean keep = true;
    if (options.hallucinationSilenceThreshold() != null) {
      HallucinationFilter filter =
          new HallucinationFilter(
              options.hallucinationSilenceThreshold(),
              start,
              window.frames(),
              contentFrames,
              lastSpeech);
      HallucinationFilter.Verdict verdict = filter.apply(drafts, cut.singleTimestampEnding(), next);
      next = verdict.seek();
      keep = !verdict.dropped();
      end = SegmentDraft.endOf(drafts);
    }
    if (keep && end != null) {
      lastSpeech = end;
    }
    complete(next, keep);
  }

  private void complete(long nextSeek, boolean keep) {
    if (keep) {
      for (SegmentDraft draft : cut.segments()) {
        draft.clearIfBlank();
        segments.add(draft.finish(segments.size()));
        history.add(draft.tokens);
      }
      history.endWindow(decoded.temperature());
    }
    rest = WindowSegments.textTokens(tokenizer, cut.rest());
    // A word that ends where the window starts would make the reference decode it for ever.
    seek = nextSeek > window.seek() ? nextSeek : window.seek() + window.frames();
    window = null;
    decoded = null;
    cut = null;
  }

  /** Frame (10 ms) from which the file is still to be done. */
  public long seek() {
    return seek;
  }

  /** Frames (10 ms) of the file. */
  public long contentFrames() {
    return contentFrames;
  }

  public LanguageGuess language() {
    return language;
  }

  /** The segments that are final so far. */
  public List<Segment> partial() {
    return List.copyOf(segments);
  }

  /** Once {@link #next()} is empty. */
  public TranscriptionResult result() {
    if (next().isPresent()) {
      throw new IllegalStateException("the transcription is not done");
    }
    return new TranscriptionResult(
        tokenizer.decode(history.spoken()),
        language.code(),
        language.probability(),
        (double) samples / Geometry.SAMPLE_RATE,
        segments);
  }
}
