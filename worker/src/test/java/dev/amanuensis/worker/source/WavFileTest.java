package dev.amanuensis.worker.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class WavFileTest {
  private static final byte[] TONE = Jobs.tone(800);

  private static Optional<WavFile.Samples> parse(byte[] wav) {
    return WavFile.samples(ByteBuffer.wrap(wav), wav.length);
  }

  @Test
  void findsTheSamplesOfAPlainFile() {
    assertEquals(Optional.of(new WavFile.Samples(44, 1600)), parse(Jobs.wav(TONE)));
  }

  @Test
  void findsTheSamplesInTheMiddleOfABuffer() {
    byte[] wav = Jobs.wav(TONE);
    ByteBuffer buffer = ByteBuffer.allocate(wav.length + 20);
    buffer.position(7);
    buffer.put(wav).flip().position(7);
    assertEquals(Optional.of(new WavFile.Samples(44, 1600)), WavFile.samples(buffer, wav.length));
  }

  @Test
  void skipsOtherChunksBeforeTheSamples() {
    byte[] wav = Jobs.wav(TONE);
    ByteBuffer b = ByteBuffer.allocate(wav.length + 12).order(ByteOrder.LITTLE_ENDIAN);
    b.put(wav, 0, 36).put("LIST".getBytes()).putInt(3).put(new byte[4]);
    b.put(wav, 36, wav.length - 36).putInt(4, wav.length + 12 - 8);
    assertEquals(Optional.of(new WavFile.Samples(56, 1600)), parse(b.array()));
  }

  @Test
  void leavesOtherFormatsToFfmpeg() {
    assertTrue(parse(Jobs.wav(TONE, TONE.length, 2, 16_000, 16)).isEmpty());
    assertTrue(parse(Jobs.wav(TONE, TONE.length, 1, 8_000, 16)).isEmpty());
    assertTrue(parse(Jobs.wav(TONE, TONE.length, 1, 16_000, 8)).isEmpty());
    assertTrue(parse("RIFF, said the text, is a WAVE of its own".getBytes()).isEmpty());
  }

  @Test
  void leavesLiesToFfmpeg() {
    assertTrue(parse(Jobs.wav(TONE, TONE.length + 2, 1, 16_000, 16)).isEmpty());
    assertTrue(parse(Jobs.wav(TONE, TONE.length - 2, 1, 16_000, 16)).isEmpty());
    assertTrue(parse(Jobs.wav(TONE, -1, 1, 16_000, 16)).isEmpty());
    assertTrue(parse(Jobs.wav(TONE, 0, 1, 16_000, 16)).isEmpty());
    assertTrue(parse(Jobs.wav(Arrays.copyOf(TONE, 1599))).isEmpty());
  }

  @Test
  void everyTruncationIsLeftToFfmpeg() {
    byte[] wav = Jobs.wav(TONE);
    for (int n = 0; n < wav.length; n++) {
      assertTrue(parse(Arrays.copyOf(wav, n)).isEmpty(), "length " + n);
    }
  }
}
