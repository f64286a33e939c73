package dev.amanuensis.worker.transcription;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.worker.job.Chunking;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChunkerTest {
  private static final double LOUD = 1e-2;
  private static final double QUIET = 1e-7;

  /** Speech everywhere but in the pauses given as pairs of seconds. */
  private static double[] speech(double seconds, double... pauses) {
    double[] power = new double[(int) (seconds * 100)];
    Arrays.fill(power, LOUD);
    for (int i = 0; i < pauses.length; i += 2) {
      Arrays.fill(power, (int) (pauses[i] * 100), (int) (pauses[i + 1] * 100), QUIET);
    }
    return power;
  }

  private static List<Chunk> split(Chunking chunking, double[] power) {
    return new Chunker(Loudness.ofPower(power))
        .split(chunking, List.of(new Chunk(0, power.length)));
  }

  @Test
  void vadCutsInTheLongestPauseOfAWellFilledWindow() {
    double[] power = speech(50, 10, 12, 20, 20.5, 24, 25.5, 28, 28.4);
    List<Chunk> chunks = split(Chunking.VAD, power);
    assertThat(chunks).hasSize(2);
    assertThat(chunks.get(0).end()).isBetween(2400L, 2450L);
    assertThat(chunks.get(1).first()).isBetween(2500L, 2550L);
    assertThat(chunks.get(1).end()).isEqualTo(5000);
  }

  @Test
  void vadLeavesLongSilencesOutAndKeepsAMarginAroundSpeech() {
    double[] power = speech(100, 0, 8, 20, 70, 75, 100);
    List<Chunk> chunks = split(Chunking.VAD, power);
    assertThat(chunks).hasSize(2);
    assertThat(chunks.get(0).first()).isBetween(750L, 780L);
    assertThat(chunks.get(0).end()).isBetween(2020L, 2040L);
    assertThat(chunks.get(1).first()).isBetween(6950L, 6980L);
    assertThat(chunks.get(1).end()).isBetween(7520L, 7540L);
  }

  /** A sentence in ten minutes that are otherwise as quiet as given. */
  @ParameterizedTest
  @ValueSource(doubles = {0, 1e-9, 1e-7})
  void vadFindsTheOnlySentenceInALongSilence(double silence) {
    double[] power = new double[60_000];
    Arrays.fill(power, silence);
    Arrays.fill(power, 31_000, 31_200, LOUD);
    List<Chunk> chunks = split(Chunking.VAD, power);
    assertThat(chunks).hasSize(1);
    assertThat(chunks.get(0).first()).isBetween(30_950L, 30_980L);
    assertThat(chunks.get(0).end()).isBetween(31_220L, 31_250L);
  }

  @Test
  void vadLosesNoWordThatStandsAlone() {
    double[] power = new double[60_000];
    Arrays.fill(power, 31_000, 31_030, LOUD);
    assertThat(split(Chunking.VAD, power)).hasSize(1);
    Arrays.fill(power, 0, 31_000, 1e-9);
    assertThat(split(Chunking.VAD, power)).anyMatch(c -> c.first() <= 31_000 && c.end() >= 31_030);
  }

  @Test
  void vadKeepsAQuietSpeakerBesideALoudOne() {
    double[] power = speech(60, 12, 14, 24, 26, 36, 38, 48, 50);
    for (int f = 1400; f < 2400; f++) {
      power[f] = 1e-6 * (f / 10 % 2 == 0 ? 4 : 1); // 34 dB below the other, 13 above the noise
    }
    Arrays.fill(power, 2400, 2600, 1e-7 / 2);
    assertThat(split(Chunking.VAD, power)).anyMatch(c -> c.first() <= 1400 && c.end() >= 2400);
  }

  @Test
  void everyLoudFrameIsInExactlyOneChunkHoweverThePausesLie() {
    Random random = new Random(7);
    for (int round = 0; round < 200; round++) {
      double[] power = new double[2000 + random.nextInt(30_000)];
      for (int at = 0; at < power.length; ) {
        int end =
            Math.min(power.length, at + 5 + random.nextInt(random.nextInt(4) == 0 ? 5000 : 300));
        Arrays.fill(power, at, end, random.nextInt(3) == 0 ? QUIET : LOUD * random.nextDouble());
        at = end;
      }
      for (Chunking chunking : List.of(Chunking.VAD, Chunking.FIXED)) {
        List<Chunk> chunks = split(chunking, power);
        int[] covered = new int[power.length];
        for (Chunk chunk : chunks) {
          assertThat(chunk.frames()).isBetween(1L, 3000L);
          for (long f = chunk.first(); f < chunk.end(); f++) {
            covered[(int) f]++;
          }
        }
        int wrong = 0;
        for (int f = 0; f < power.length; f++) {
          boolean wanted = chunking == Chunking.FIXED || power[f] > LOUD / 3;
          wrong += covered[f] > 1 || (wanted && covered[f] == 0) ? 1 : 0;
        }
        assertThat(wrong).as("frames lost or doubled by %s", chunking).isZero();
      }
    }
  }

  @Test
  void fixedCoversAllAndCutsAtTheQuietestMoment() {
    List<Chunk> chunks = split(Chunking.FIXED, speech(70, 27, 27.3));
    assertThat(chunks.get(0).first()).isZero();
    assertThat(chunks.get(0).end()).isBetween(2700L, 2730L);
    for (int i = 1; i < chunks.size(); i++) {
      assertThat(chunks.get(i).first()).isEqualTo(chunks.get(i - 1).end());
    }
    assertThat(chunks.get(chunks.size() - 1).end()).isEqualTo(7000);
  }

  @Test
  void steadyNoiseIsKeptAndDigitalSilenceIsNot() {
    double[] noise = new double[7000];
    Arrays.fill(noise, 1e-4);
    assertThat(split(Chunking.VAD, noise)).hasSize(3);
    assertThat(split(Chunking.VAD, new double[7000])).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(
      value = Chunking.class,
      names = {"VAD", "FIXED"})
  void onlyTheWantedPartsAreSplit(Chunking chunking) {
    Loudness loudness = Loudness.ofPower(speech(100));
    List<Chunk> chunks =
        new Chunker(loudness)
            .split(chunking, List.of(new Chunk(1000, 2000), new Chunk(5000, 9000)));
    assertThat(chunks.get(0)).isEqualTo(new Chunk(1000, 2000));
    assertThat(chunks.subList(1, chunks.size()))
        .allMatch(c -> c.first() >= 5000 && c.end() <= 9000);
    assertThat(chunks.get(chunks.size() - 1).end()).isEqualTo(9000);
  }

  @Test
  void loudnessIsThatOfTheSamples() {
    ByteBuffer pcm = ByteBuffer.allocate(2 * 160 * 100).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < 160 * 100; i++) {
      pcm.putShort((short) (i < 160 * 50 ? 0 : (i % 2 == 0 ? 16384 : -16384)));
    }
    Loudness loudness = Loudness.of(pcm.flip(), 100);
    assertThat(loudness.at(10)).isEqualTo(Loudness.SILENCE);
    assertThat(loudness.at(90)).isBetween(-6.1f, -6.0f);
  }
}
