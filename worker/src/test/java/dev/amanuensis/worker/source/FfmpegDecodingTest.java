package dev.amanuensis.worker.source;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobException;
import dev.amanuensis.worker.source.reference.ReferenceConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Audio that goes through the FFmpeg child, sound or hostile. */
class FfmpegDecodingTest {
  private static final Path SPEECH = Path.of("src/test/resources/speech").toAbsolutePath();
  private static final Path GOLDEN = Path.of("src/test/resources/golden/transcripts.json");

  @TempDir Path spill;
  @TempDir Path made;
  private AudioPreparer preparer;

  @BeforeEach
  void open() {
    preparer = preparer(Duration.ofHours(6), Duration.ofSeconds(60));
  }

  private AudioPreparer preparer(Duration longest, Duration timeout) {
    return new AudioPreparer(
        new SourceConfig(
            ReferenceConfig.files(List.of(SPEECH, made)),
            spill,
            1L << 30,
            1L << 30,
            longest,
            timeout));
  }

  @AfterEach
  void leavesNoFileAndNoChild() throws IOException {
    preparer.close();
    try (Stream<Path> left = Files.list(spill)) {
      assertEquals(List.of(), left.toList());
    }
    assertEquals(0, children());
  }

  private static long children() {
    return ProcessHandle.current().children().filter(ProcessHandle::isAlive).count();
  }

  /** Runs the same FFmpeg to make a file. */
  private Path make(String name, String... arguments) throws Exception {
    Path file = made.resolve(name);
    List<String> command = new ArrayList<>(FfmpegBinary.command());
    command.addAll(List.of("-nostdin", "-v", "error", "-y"));
    command.addAll(List.of(arguments));
    command.add(file.toString());
    ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
    builder.environment().putAll(FfmpegBinary.environment());
    assertEquals(0, builder.start().waitFor());
    return file;
  }

  private JobException unreadable(byte[] bytes) {
    JobException e =
        assertThrows(JobException.class, () -> preparer.prepare(Jobs.inline(bytes)).close());
    assertEquals(ErrorCode.AUDIO_UNREADABLE, e.code(), e.getMessage());
    assertFalse(e.getMessage().contains(spill.toString()), e.getMessage());
    assertFalse(e.getMessage().contains("0x"), e.getMessage());
    return e;
  }

  static List<String> goldenFiles() throws IOException {
    List<String> names = new ArrayList<>();
    new ObjectMapper().readTree(GOLDEN.toFile()).fieldNames().forEachRemaining(names::add);
    assertTrue(names.size() >= 8);
    return names;
  }

  @ParameterizedTest
  @MethodSource("goldenFiles")
  void pcmIsTheReferenceFrontEnds(String name) throws Exception {
    JsonNode golden = new ObjectMapper().readTree(GOLDEN.toFile()).get(name);
    Path file = SPEECH.resolve(name);
    for (Job job : List.of(Jobs.file(file), Jobs.inline(Files.readAllBytes(file)))) {
      try (PreparedAudio audio = preparer.prepare(job)) {
        assertEquals(golden.get("samples").asLong(), audio.samples());
        assertEquals(golden.get("pcm16_sha256").asText(), Jobs.pcmSha256(audio));
      }
    }
  }

  @Test
  void longAudioIsGivenBackAtOnce() throws Exception {
    PreparedAudio audio = preparer.prepare(Jobs.file(SPEECH.resolve("long.flac")));
    assertTrue(Files.readString(Path.of("/proc/self/maps")).contains(spill.toString()));
    audio.close();
    assertFalse(Files.readString(Path.of("/proc/self/maps")).contains(spill.toString()));
  }

  @Test
  void surroundAt96KilohertzBecomesMono() throws Exception {
    Path wav = made.resolve("surround.wav");
    Files.write(wav, Jobs.wav(surround(), surround().length, 6, 96_000, 16));
    Path file = make("surround.flac", "-i", wav.toString());
    try (PreparedAudio audio = preparer.prepare(Jobs.file(file))) {
      assertEquals(32_000, audio.samples());
      assertEquals(440, frequency(audio), 2);
    }
  }

  /** Two seconds of 440 Hz, six channels at 96 kHz. */
  private static byte[] surround() {
    ByteBuffer pcm = ByteBuffer.allocate(2 * 96_000 * 6 * 2).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < 2 * 96_000 * 6; i++) {
      pcm.putShort((short) (8000 * Math.sin(2 * Math.PI * 440 * (i / 6) / 96_000)));
    }
    return pcm.array();
  }

  private static double frequency(PreparedAudio audio) {
    var samples = audio.pcm().asShortBuffer();
    int crossings = 0;
    for (int i = 1; i < samples.limit(); i++) {
      crossings += samples.get(i - 1) < 0 && samples.get(i) >= 0 ? 1 : 0;
    }
    return crossings * 16_000.0 / samples.limit();
  }

  @ParameterizedTest
  @ValueSource(strings = {"mp3", "m4a", "ogg", "opus", "webm", "aiff", "aac", "mka", "au", "w64"})
  void commonFormatsAreRead(String format) throws Exception {
    Path file = make("a." + format, "-i", SPEECH.resolve("jfk.wav").toString());
    try (PreparedAudio audio = preparer.prepare(Jobs.inline(Files.readAllBytes(file)))) {
      assertEquals(176_000, audio.samples(), 3000);
    }
  }

  @Test
  void twentiethOfASecondIsAudio() throws Exception {
    byte[] tone = Jobs.tone(800);
    Path wav = Files.write(made.resolve("short.wav"), Jobs.wav(tone));
    Path flac = make("short.flac", "-i", wav.toString());
    try (PreparedAudio audio = preparer.prepare(Jobs.file(flac))) {
      assertArrayEquals(tone, Jobs.pcmBytes(audio));
    }
  }

  @Test
  void lyingWavGivesTheSamplesItHas() throws Exception {
    byte[] tone = Jobs.tone(16_000);
    for (int claimed : new int[] {-1, 64_000, 0x7fffff00}) {
      byte[] wav = Jobs.wav(tone, claimed, 1, 16_000, 16);
      try (PreparedAudio audio = preparer.prepare(Jobs.inline(wav))) {
        assertArrayEquals(tone, Jobs.pcmBytes(audio), "claimed " + claimed);
      }
    }
  }

  @Test
  void textIsNoAudio() {
    unreadable("This is not a WAV file, whatever its name says.\n".repeat(50).getBytes());
    unreadable("x".getBytes());
  }

  @Test
  void randomBytesAreNoAudio() {
    Random random = new Random(7);
    for (int size : new int[] {2, 100, 5000, 65_536, 1 << 20}) {
      byte[] bytes = new byte[size];
      random.nextBytes(bytes);
      unreadable(bytes);
    }
  }

  @Test
  void playlistsDoNotOpenOtherFiles() throws Exception {
    String wav = SPEECH.resolve("jfk.wav").toString();
    unreadable(("ffconcat version 1.0\nfile '" + wav + "'\n").getBytes());
    unreadable(
        ("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://" + wav + "\n#EXT-X-ENDLIST\n")
            .getBytes());
    unreadable(("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 0\r\n").getBytes());
  }

  @Test
  void videoWithoutSoundIsNoAudio() throws Exception {
    Path raw = Files.write(made.resolve("raw"), new byte[5 * 32 * 32 * 3 / 2]);
    String[] video = {"-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "32x32", "-i", raw.toString()};
    Path file = make("mute.mkv", video);
    unreadable(Files.readAllBytes(file));
  }

  @Test
  void truncatedFlacGivesWhatDecodes() throws Exception {
    byte[] whole = Files.readAllBytes(SPEECH.resolve("librispeech/5514-19192-0000.flac"));
    byte[] all;
    try (PreparedAudio audio = preparer.prepare(Jobs.inline(whole))) {
      all = Jobs.pcmBytes(audio);
    }
    byte[] half = Arrays.copyOf(whole, whole.length / 2);
    try (PreparedAudio audio = preparer.prepare(Jobs.inline(half))) {
      byte[] part = Jobs.pcmBytes(audio);
      assertTrue(part.length > all.length / 4 && part.length < all.length, "bytes " + part.length);
      // All but the cut frame is as it was; FLAC frames have at most 65,535 samples.
      int sure = part.length - 2 * 8192;
      assertArrayEquals(Arrays.copyOf(all, sure), Arrays.copyOf(part, sure));
    }
    unreadable(Arrays.copyOf(whole, 200)); // only the head
  }

  @Test
  void audioOfWhichMostIsGarbledIsNoAudio() throws Exception {
    Path file = make("a.m4a", "-i", SPEECH.resolve("jfk.wav").toString());
    byte[] bytes = Files.readAllBytes(file);
    Random random = new Random(7);
    for (int i = 6000; i < bytes.length - 4000; i += 2) { // the index is at the end
      bytes[i] = (byte) random.nextInt();
    }
    assertTrue(unreadable(bytes).getMessage().contains("exit code 69"));
  }

  @Test
  void tooLongAudioStopsTheChild() {
    AudioPreparer strict = preparer(Duration.ofSeconds(35), Duration.ofSeconds(60));
    JobException e =
        assertThrows(
            JobException.class,
            () -> strict.prepare(Jobs.file(SPEECH.resolve("long.flac"))).close());
    strict.close();
    assertEquals(ErrorCode.AUDIO_TOO_LARGE, e.code());
    assertEquals(0, children());
  }

  /** Four hours of silence in a small file, which keep FFmpeg busy for a while. */
  private Path hours() throws Exception {
    String[] zeros = {"-f", "s16le", "-ar", "16000", "-ac", "1", "-i", "/dev/zero", "-t", "14400"};
    return make("hours.flac", zeros);
  }

  @Test
  void slowDecodingIsStopped() throws Exception {
    Path file = hours();
    AudioPreparer hasty = preparer(Duration.ofHours(18), Duration.ofMillis(100));
    JobException e = assertThrows(JobException.class, () -> hasty.prepare(Jobs.file(file)).close());
    hasty.close();
    assertEquals(ErrorCode.AUDIO_TIMEOUT, e.code());
    assertEquals(0, children());
  }

  @Test
  void interruptKillsTheChild() throws Exception {
    // While the first read of the pipe waits; then somewhere in the decoding.
    interruptAfter(0, SPEECH.resolve("librispeech/5514-19192-0000.flac"));
    interruptAfter(150, hours());
  }

  private void interruptAfter(int millis, Path file) throws Exception {
    CompletableFuture<Object> outcome = new CompletableFuture<>();
    AudioPreparer patient = preparer(Duration.ofHours(18), Duration.ofMinutes(5));
    Thread thread =
        new Thread(
            () -> {
              try (PreparedAudio audio = patient.prepare(Jobs.file(file))) {
                outcome.complete(audio.samples());
              } catch (InterruptedException e) {
                outcome.complete(Thread.currentThread().isInterrupted() ? "still set" : "cleared");
              } catch (Throwable e) {
                outcome.complete(e);
              }
            });
    thread.start();
    while (children() == 0 && thread.isAlive()) {
      Thread.sleep(1);
    }
    Thread.sleep(millis);
    thread.interrupt();
    assertEquals("cleared", outcome.get(20, TimeUnit.SECONDS));
    patient.close();
    thread.join();
    assertEquals(0, children());
  }
}
