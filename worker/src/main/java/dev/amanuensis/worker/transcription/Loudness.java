package dev.amanuensis.worker.transcription;

import java.nio.ByteBuffer;
import java.nio.ShortBuffer;
import java.util.Arrays;

/**
 * How loud a file is, frame by frame (10 ms): mean power over some 70 ms, in decibels below full
 * scale, at least {@value #SILENCE}.
 */
final class Loudness {
  static final float SILENCE = -100;

  /** Frames on each side that a frame's value is averaged with: gaps within words vanish. */
  private static final int SIDE = 3;

  private final float[] decibels;

  private Loudness(float[] decibels) {
    this.decibels = decibels;
  }

  /**
   * @param pcm 16-bit mono at 16 kHz in the buffer's byte order, from its start
   * @param frames of the file
   */
  static Loudness of(ByteBuffer pcm, long frames) {
    ShortBuffer samples = pcm.duplicate().order(pcm.order()).asShortBuffer();
    double[] power = new double[Math.toIntExact(frames)];
    short[] block = new short[Geometry.HOP];
    for (int frame = 0; frame < power.length; frame++) {
      samples.get(block);
      long sum = 0;
      for (short sample : block) {
        sum += (long) sample * sample;
      }
      power[frame] = sum / (Geometry.HOP * 32768.0 * 32768.0);
    }
    return ofPower(power);
  }

  /**
   * @param power mean square of each frame's samples, 1 at full scale
   */
  static Loudness ofPower(double[] power) {
    float[] decibels = new float[power.length];
    double sum = 0;
    for (int i = 0; i < Math.min(SIDE, power.length); i++) {
      sum += power[i];
    }
    for (int i = 0; i < power.length; i++) {
      if (i + SIDE < power.length) {
        sum += power[i + SIDE];
      }
      if (i - SIDE - 1 >= 0) {
        sum -= power[i - SIDE - 1];
      }
      int width = Math.min(power.length - 1, i + SIDE) - Math.max(0, i - SIDE) + 1;
      double mean = Math.max(0, sum) / width;
      decibels[i] = Math.max(SILENCE, (float) (10 * Math.log10(mean + 1e-12)));
    }
    return new Loudness(decibels);
  }

  float at(long frame) {
    return decibels[(int) frame];
  }

  long frames() {
    return decibels.length;
  }

  /**
   * What a range has at its softest and at its loudest.
   *
   * @param floor that 5 % of the frames do not exceed
   * @param loud that a second of the frames exceeds, or 5 % of those that are not digital silence:
   *     a sentence counts however long the silence around it is
   */
  record Levels(float floor, float loud) {}

  Levels levels(Chunk range) {
    float[] sorted = Arrays.copyOfRange(decibels, (int) range.first(), (int) range.end());
    Arrays.sort(sorted);
    int last = sorted.length - 1;
    int silent = 0;
    while (silent < last && sorted[silent] <= SILENCE) {
      silent++;
    }
    int exceeding = Math.min(Geometry.FRAMES_PER_SECOND, (last - silent) / 20);
    return new Levels(sorted[last / 20], sorted[last - exceeding]);
  }

  /** The quietest frame of a range; the last of equals. */
  long quietest(long first, long end) {
    long best = first;
    for (long frame = first; frame < end; frame++) {
      if (at(frame) <= at(best)) {
        best = frame;
      }
    }
    return best;
  }
}
