package dev.amanuensis.chaos;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What the jobs hold. A sound has a name: jobs with the same sound must get the same text. */
final class Sounds {
  private static final int RATE = 16_000;
  private static final double SECONDS = 0.25;

  /** One job in so many has two windows and goes through the spill folder. */
  private static final int LONG_EACH = 100;

  private static final int LONG_RATE = 8_000;
  private static final int LONG_SECONDS = 40;

  private static final int TONES = 4_000;
  private static final int HUMS = 300;

  private final List<byte[]> speech = new ArrayList<>();
  private final int speechJobs;

  /**
   * @param speechJobs the first so many jobs hold speech
   */
  Sounds(List<Path> files, int speechJobs) throws IOException {
    for (Path file : files) {
      speech.add(Files.readAllBytes(file));
    }
    this.speechJobs = speech.isEmpty() ? 0 : speechJobs;
  }

  boolean isSpeech(int job) {
    return job < speechJobs;
  }

  /** Of a job's sound. */
  String name(int job) {
    if (isSpeech(job)) {
      return "speech-" + job % speech.size();
    }
    return isHum(job) ? "hum-" + job % HUMS : "tone-" + job % TONES;
  }

  private static boolean isHum(int job) {
    return job % LONG_EACH == 7;
  }

  /** A whole audio file. */
  byte[] file(int job) {
    if (isSpeech(job)) {
      return speech.get(job % speech.size());
    }
    return isHum(job) ? hum(50 + job % HUMS) : tone(100 + job % TONES);
  }

  /** A longer WAV file, of one byte a sample. */
  private static byte[] hum(int pitch) {
    ByteBuffer wav = wav(LONG_RATE, 1, LONG_RATE * LONG_SECONDS);
    for (int i = 0; wav.hasRemaining(); i++) {
      wav.put((byte) (128 + 60 * Math.sin(2 * Math.PI * pitch * i / LONG_RATE)));
    }
    return wav.array();
  }

  private static byte[] tone(int pitch) {
    ByteBuffer wav = wav(RATE, 2, (int) (RATE * SECONDS));
    for (int i = 0; wav.hasRemaining(); i++) {
      wav.putShort((short) (8000 * Math.sin(2 * Math.PI * pitch * i / RATE)));
    }
    return wav.array();
  }

  private static ByteBuffer wav(int rate, int bytesPerSample, int samples) {
    int bytes = bytesPerSample * samples;
    ByteBuffer b = ByteBuffer.allocate(44 + bytes).order(ByteOrder.LITTLE_ENDIAN);
    b.put(ascii("RIFF")).putInt(36 + bytes).put(ascii("WAVEfmt ")).putInt(16);
    b.putShort((short) 1).putShort((short) 1).putInt(rate).putInt(bytesPerSample * rate);
    b.putShort((short) bytesPerSample).putShort((short) (8 * bytesPerSample));
    return b.put(ascii("data")).putInt(bytes);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
