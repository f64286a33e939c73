package dev.amanuensis.worker.transcription;

import dev.amanuensis.worker.job.Chunking;
import dev.amanuensis.worker.job.JobException;
import dev.amanuensis.worker.job.Segment;
import dev.amanuensis.worker.job.TranscriptionOptions;
import dev.amanuensis.worker.job.TranscriptionResult;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A job whose chunks are transcribed side by side. Each chunk is a {@link Transcription} of its own
 * with all of openai/whisper's rules (fallback temperatures, thresholds, seek within the chunk);
 * only the text before the chunk is no prompt for it. Times are those of the file. Thread-safe; the
 * transcriptions belong to whoever takes them.
 */
public final class ChunkedTranscription {
  private final TranscriptionOptions options;
  private final Tokenizer tokenizer;
  private final long samples;
  private final LanguageGuess language;
  private final List<Chunk> chunks;
  private final TranscriptionResult[] results;
  private int taken;
  private int done;

  /** A chunk that was taken. */
  public record Part(int index, Transcription transcription) {}

  /**
   * @param detected language; null where {@link Transcription#detectsLanguage} is false
   * @param pcm of the file: 16-bit mono at 16 kHz in the buffer's byte order
   * @throws JobException INVALID_OPTION
   */
  public ChunkedTranscription(
      TranscriptionOptions options,
      Tokenizer tokenizer,
      ByteBuffer pcm,
      long samples,
      LanguageGuess detected)
      throws JobException {
    OptionCheck.check(options, tokenizer);
    this.options = options;
    this.tokenizer = tokenizer;
    this.samples = samples;
    this.language = detected;
    long frames = samples / Geometry.HOP;
    List<Chunk> wanted = new SeekClips(options.clipTimestamps(), frames).chunks();
    Loudness loudness = Loudness.of(pcm, frames);
    this.chunks = new Chunker(loudness).split(options.chunking(), wanted);
    this.results = new TranscriptionResult[chunks.size()];
  }

  /** Whether a job is to be done so. */
  public static boolean wanted(TranscriptionOptions options, long samples) {
    return options.chunking() != Chunking.NONE && samples / Geometry.HOP > Geometry.WINDOW_FRAMES;
  }

  /** The next chunk in time, or empty when all are taken. */
  public synchronized Optional<Part> take() throws JobException {
    if (taken == chunks.size()) {
      return Optional.empty();
    }
    Chunk chunk = chunks.get(taken);
    Transcription transcription =
        Transcription.ofChunk(options, tokenizer, samples, language, chunk);
    return Optional.of(new Part(taken++, transcription));
  }

  /**
   * A chunk is complete.
   *
   * @return whether it was the last
   */
  public synchronized boolean complete(int index, TranscriptionResult result) {
    if (results[index] != null) {
      throw new IllegalStateException("chunk " + index + " is complete already");
    }
    results[index] = result;
    done++;
    return done == results.length;
  }

  /** Whether nothing is left to do. */
  public synchronized boolean isComplete() {
    return done == results.length;
  }

  /** Once all chunks are complete. */
  public synchronized TranscriptionResult result() throws JobException {
    if (done < results.length) {
      throw new IllegalStateException("%d of %d chunks are done".formatted(done, results.length));
    }
    StringBuilder text = new StringBuilder();
    List<Segment> segments = new ArrayList<>();
    for (int i = 0; i < results.length; i++) {
      text.append(results[i].text());
      // A timestamp may lie behind the end of the audio, and here something else lies there.
      double first = chunks.get(i).first() / (double) Geometry.FRAMES_PER_SECOND;
      double last = chunks.get(i).end() / (double) Geometry.FRAMES_PER_SECOND;
      for (Segment s : results[i].segments()) {
        segments.add(s.within(segments.size(), first, last));
      }
    }
    Transcription whole = new Transcription(options, tokenizer, samples, language);
    return new TranscriptionResult(
        text.toString(),
        whole.language().code(),
        whole.language().probability(),
        (double) samples / Geometry.SAMPLE_RATE,
        segments);
  }

  /** Chunks of the file. */
  public int size() {
    return chunks.size();
  }
}
