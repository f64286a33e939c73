package dev.amanuensis.worker.transcription;

import dev.amanuensis.worker.job.Chunking;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts a file into chunks of at most a window, at pauses, by its loudness alone. What is left out
 * is clearly quieter than speech; in doubt it is kept. A chunk costs a window however short it is,
 * so chunks are filled as far as pauses allow.
 */
final class Chunker {
  private static final int LONGEST = Geometry.WINDOW_FRAMES;

  /** Cuts are looked for from here on, so that chunks are well filled. */
  private static final int WELL_FILLED = 18 * Geometry.FRAMES_PER_SECOND;

  /** Where there is no pause the quietest moment of the last seconds has to do. */
  private static final int LAST_RESORT = 25 * Geometry.FRAMES_PER_SECOND;

  /** Kept on both sides of speech: soft starts and ends of words. */
  private static final int MARGIN = 30;

  /** Below it a file has no clear pauses: music, noise. */
  private static final float LEAST_RANGE_DB = 15;

  /** Where between the noise floor and loud speech a pause ends. */
  private static final float SPEECH_AT = 0.25f;

  /** A pause ends no further above the noise floor: the quiet one of two speakers is speech too. */
  private static final float MOST_ABOVE_FLOOR_DB = 10;

  /** Digital silence says nothing of the noise beside it; speech is hardly softer than this. */
  private static final float BELOW_LOUD_DB = 60;

  private final Loudness loudness;

  Chunker(Loudness loudness) {
    this.loudness = loudness;
  }

  /**
   * @param ranges parts of the file that are wanted
   * @return chunks in the order of the ranges and of time
   */
  List<Chunk> split(Chunking chunking, List<Chunk> ranges) {
    List<Chunk> chunks = new ArrayList<>();
    for (Chunk range : ranges) {
      if (range.frames() > 0) {
        chunks.addAll(chunking == Chunking.VAD ? speech(range) : fixed(range));
      }
    }
    return chunks;
  }

  private List<Chunk> fixed(Chunk range) {
    List<Chunk> chunks = new ArrayList<>();
    long at = range.first();
    while (range.end() - at > LONGEST) {
      long cut = loudness.quietest(at + LAST_RESORT, at + LONGEST);
      chunks.add(new Chunk(at, cut));
      at = cut;
    }
    chunks.add(new Chunk(at, range.end()));
    return chunks;
  }

  private List<Chunk> speech(Chunk range) {
    Loudness.Levels levels = loudness.levels(range);
    if (levels.loud() <= Loudness.SILENCE) {
      return List.of();
    }
    float floor =
        levels.floor() > Loudness.SILENCE ? levels.floor() : levels.loud() - BELOW_LOUD_DB;
    float dynamics = levels.loud() - floor;
    if (dynamics < LEAST_RANGE_DB) {
      return fixed(range);
    }
    List<Chunk> runs = runs(range, floor + Math.min(SPEECH_AT * dynamics, MOST_ABOVE_FLOOR_DB));
    List<Chunk> chunks = new ArrayList<>();
    int next = 0;
    while (next < runs.size()) {
      next = take(runs, next, chunks);
    }
    return chunks;
  }

  /** Stretches above the threshold with their margins, where those don't overlap. */
  private List<Chunk> runs(Chunk range, float threshold) {
    List<Chunk> runs = new ArrayList<>();
    for (long frame = range.first(); frame < range.end(); frame++) {
      if (loudness.at(frame) <= threshold) {
        continue;
      }
      long first = Math.max(range.first(), frame - MARGIN);
      long end = Math.min(range.end(), frame + 1 + MARGIN);
      int last = runs.size() - 1;
      if (last >= 0 && runs.get(last).end() >= first) {
        runs.set(last, new Chunk(runs.get(last).first(), end));
      } else {
        runs.add(new Chunk(first, end));
      }
    }
    return runs;
  }

  /** Adds the chunk that begins with a run; returns the run that the next one begins with. */
  private int take(List<Chunk> runs, int from, List<Chunk> chunks) {
    long first = runs.get(from).first();
    int fitting = from; // runs that end within the window
    while (fitting < runs.size() && runs.get(fitting).end() - first <= LONGEST) {
      fitting++;
    }
    if (fitting == runs.size()) {
      chunks.add(new Chunk(first, runs.get(fitting - 1).end()));
      return fitting;
    }
    if (fitting == from) { // no pause at all in 30 s
      long cut = loudness.quietest(first + LAST_RESORT, first + LONGEST);
      chunks.add(new Chunk(first, cut));
      runs.set(from, new Chunk(cut, runs.get(from).end()));
      return from;
    }
    int last = fitting - 1;
    for (int i = fitting - 1; i >= from && runs.get(i).end() - first >= WELL_FILLED; i--) {
      if (pauseAfter(runs, i) > pauseAfter(runs, last)) {
        last = i;
      }
    }
    chunks.add(new Chunk(first, runs.get(last).end()));
    return last + 1;
  }

  private static long pauseAfter(List<Chunk> runs, int i) {
    return runs.get(i + 1).first() - runs.get(i).end();
  }
}
