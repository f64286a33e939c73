package dev.amanuensis.worker.transcription;

import java.util.ArrayList;
import java.util.List;

/** The parts of the file that are transcribed, in frames, in the order given. */
final class SeekClips {
  private final List<long[]> clips = new ArrayList<>();
  private int current;

  /**
   * @param seconds start, end, start, ...; without a last end it is the end of the file
   * @param contentFrames of the file: clips end there at the latest (the reference would not
   *     return)
   */
  SeekClips(List<Double> seconds, long contentFrames) {
    for (int i = 0; i < seconds.size(); i += 2) {
      long end = i + 1 < seconds.size() ? frame(seconds.get(i + 1)) : contentFrames;
      clips.add(new long[] {frame(seconds.get(i)), Math.min(end, contentFrames)});
    }
    if (clips.isEmpty()) {
      clips.add(new long[] {0, contentFrames});
    }
  }

  /** All clips that have any audio. */
  List<Chunk> chunks() {
    return clips.stream()
        .map(clip -> new Chunk(clip[0], clip[1]))
        .filter(clip -> clip.frames() > 0)
        .toList();
  }

  private static long frame(double seconds) {
    return (long) Math.rint(seconds * Geometry.FRAMES_PER_SECOND);
  }

  /** Where to go on from {@code seek}, or -1 at the end of the last clip. */
  long advance(long seek) {
    long at = seek;
    while (current < clips.size()) {
      long[] clip = clips.get(current);
      at = Math.max(at, clip[0]);
      if (at < clip[1]) {
        return at;
      }
      current++;
      if (current < clips.size()) {
        // A clip may start before the previous one ended.
        at = clips.get(current)[0];
      }
    }
    return -1;
  }

  /** Index of the clip that {@link #advance} last returned a frame of. */
  int current() {
    return current;
  }

  /**
   * Goes on in a clip where a predecessor was.
   *
   * @throws IllegalArgumentException if there is no such clip
   */
  void current(int clip) {
    if (clip < 0 || clip >= clips.size()) {
      throw new IllegalArgumentException("clip " + clip + " of " + clips.size());
    }
    current = clip;
  }

  /** End of the clip that {@link #advance} last returned a frame of. */
  long end() {
    return clips.get(current)[1];
  }
}
