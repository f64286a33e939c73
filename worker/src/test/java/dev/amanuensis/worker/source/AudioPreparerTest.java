package dev.amanuensis.worker.source;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.amanuensis.worker.job.AudioSource;
import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobException;
import dev.amanuensis.worker.source.reference.ReferenceConfig;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What needs no FFmpeg: fetching, limits, and WAV of the model's own format. */
class AudioPreparerTest {
  private static final byte[] TONE = Jobs.tone(800);

  @TempDir Path root;
  @TempDir Path outside;
  @TempDir Path spill;
  private AudioPreparer preparer;

  @BeforeEach
  void open() {
    preparer =
        new AudioPreparer(
            new SourceConfig(
                ReferenceConfig.files(List.of(root)),
                spill,
                2_000_000,
                2_000_000,
                Duration.ofSeconds(40),
                Duration.ofSeconds(60)));
  }

  @AfterEach
  void leavesNoFile() throws IOException {
    preparer.close();
    try (Stream<Path> left = Files.list(spill)) {
      assertEquals(List.of(), left.toList());
    }
  }

  private JobException fails(ErrorCode code, Job job) {
    JobException e = assertThrows(JobException.class, () -> preparer.prepare(job).close());
    assertEquals(code, e.code(), e.getMessage());
    return e;
  }

  @Test
  void wavBytesArriveAsTheyAre() throws Exception {
    byte[] wav = Jobs.wav(TONE);
    try (PreparedAudio audio = preparer.prepare(Jobs.inline(wav))) {
      assertEquals(800, audio.samples());
      assertTrue(audio.pcm().isDirect());
      assertEquals(ByteOrder.LITTLE_ENDIAN, audio.pcm().order());
      assertArrayEquals(TONE, Jobs.pcmBytes(audio));
      assertEquals(Sha256.of(ByteBuffer.wrap(wav)), audio.sha256());
      assertEquals(Set.of("fetch", "decode_audio"), audio.timings().keySet());
    }
  }

  @Test
  void wavFileArrivesAsItIs() throws Exception {
    Path file = Files.write(root.resolve("a tone.wav"), Jobs.wav(TONE));
    try (PreparedAudio audio = preparer.prepare(Jobs.file(file))) {
      assertArrayEquals(TONE, Jobs.pcmBytes(audio));
      assertEquals(Sha256.of(file), audio.sha256());
    }
  }

  @Test
  void longWavIsMappedFromAFileWithoutAName() throws Exception {
    byte[] pcm = Jobs.tone(31 * 16_000 + 5);
    Path file = Files.write(root.resolve("long.wav"), Jobs.wav(pcm));
    for (Job job : List.of(Jobs.file(file), Jobs.inline(Jobs.wav(pcm)))) {
      try (PreparedAudio audio = preparer.prepare(job)) {
        leavesNoFile();
        assertTrue(audio.pcm().isDirect());
        assertArrayEquals(pcm, Jobs.pcmBytes(audio));
      }
    }
  }

  @Test
  void closedAudioIsGivenBackAtOnce() throws Exception {
    byte[] wav = Jobs.wav(Jobs.tone(31 * 16_000));
    PreparedAudio audio = preparer.prepare(Jobs.inline(wav));
    assertTrue(Files.readString(Path.of("/proc/self/maps")).contains(spill.toString()));
    audio.close();
    assertFalse(Files.readString(Path.of("/proc/self/maps")).contains(spill.toString()));
    audio.close(); // twice is once
    assertThrows(IllegalStateException.class, audio::pcm);
  }

  @Test
  void failedJobsGiveTheirMemoryBack() throws Exception {
    byte[] tooLong = Jobs.wav(Jobs.tone(41 * 16_000));
    long before = directBytes();
    for (int i = 0; i < 50; i++) {
      assertThrows(JobException.class, () -> preparer.prepare(Jobs.inline(tooLong)));
    }
    assertTrue(directBytes() - before < 1_000_000, before + " bytes became " + directBytes());
  }

  private static long directBytes() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct"))
        .mapToLong(BufferPoolMXBean::getMemoryUsed)
        .sum();
  }

  @Test
  void headerWithoutSamplesIsNoSound() throws Exception {
    try (PreparedAudio audio = preparer.prepare(Jobs.inline(Jobs.wav(new byte[0])))) {
      assertEquals(0, audio.samples());
      assertEquals(0, audio.pcm().remaining());
    }
  }

  @Test
  void zeroBytesAreNamedSo() throws Exception {
    fails(ErrorCode.AUDIO_EMPTY, Jobs.inline(new byte[0]));
    fails(ErrorCode.AUDIO_EMPTY, Jobs.file(Files.createFile(root.resolve("empty.wav"))));
  }

  @Test
  void hashMustBeTheProducers() throws Exception {
    byte[] wav = Jobs.wav(TONE);
    String right = Sha256.of(ByteBuffer.wrap(wav));
    String wrong = "0".repeat(64);
    preparer.prepare(Jobs.of(new AudioSource.Inline(ByteBuffer.wrap(wav), right))).close();
    fails(
        ErrorCode.AUDIO_HASH_MISMATCH,
        Jobs.of(new AudioSource.Inline(ByteBuffer.wrap(wav), wrong)));
    URI uri = Files.write(root.resolve("tone.wav"), wav).toUri();
    preparer.prepare(Jobs.of(new AudioSource.Reference(uri, right))).close();
    fails(ErrorCode.AUDIO_HASH_MISMATCH, Jobs.of(new AudioSource.Reference(uri, wrong)));
  }

  @Test
  void tooManyBytesAreRefused() throws Exception {
    byte[] bytes = new byte[2_000_001];
    fails(ErrorCode.AUDIO_TOO_LARGE, Jobs.inline(bytes));
    fails(ErrorCode.AUDIO_TOO_LARGE, Jobs.file(Files.write(root.resolve("big"), bytes)));
  }

  @Test
  void tooLongAudioIsRefused() {
    fails(ErrorCode.AUDIO_TOO_LARGE, Jobs.inline(Jobs.wav(Jobs.tone(40 * 16_000 + 1))));
  }

  @Test
  void whatIsNoFileIsTold() {
    fails(ErrorCode.SOURCE_NOT_FOUND, Jobs.file(root.resolve("nothing.wav")));
    fails(ErrorCode.SOURCE_REFUSED, Jobs.file(root)); // a directory
  }

  @Test
  void nothingOutsideTheRootsIsRead() throws Exception {
    Path secret = Files.write(outside.resolve("secret.wav"), Jobs.wav(TONE));
    fails(ErrorCode.SOURCE_FORBIDDEN, Jobs.file(secret));
    fails(
        ErrorCode.SOURCE_FORBIDDEN,
        Jobs.reference(
            URI.create("file://" + root + "/../" + outside.getFileName() + "/secret.wav")));
    Path link = Files.createSymbolicLink(root.resolve("link.wav"), secret);
    fails(ErrorCode.SOURCE_FORBIDDEN, Jobs.file(link));
    Files.createSymbolicLink(root.resolve("folder"), outside);
    fails(ErrorCode.SOURCE_FORBIDDEN, Jobs.file(root.resolve("folder/secret.wav")));
    fails(ErrorCode.SOURCE_FORBIDDEN, Jobs.file(Path.of(root + "-beside/x.wav")));
  }

  @Test
  void outsideTheRootsNobodyLearnsWhatExists() throws Exception {
    Path secret = Files.write(outside.resolve("secret.wav"), Jobs.wav(TONE));
    assertEquals(
        fails(ErrorCode.SOURCE_FORBIDDEN, Jobs.file(secret)).getMessage(),
        fails(ErrorCode.SOURCE_FORBIDDEN, Jobs.file(outside.resolve("none.wav"))).getMessage());
  }

  @Test
  void linksWithinARootAreFollowed() throws Exception {
    Path file = Files.write(root.resolve("tone.wav"), Jobs.wav(TONE));
    Path link = Files.createSymbolicLink(root.resolve("link.wav"), file);
    preparer.prepare(Jobs.file(link)).close();
  }

  @Test
  void withoutRootsNoFileIsRead() throws Exception {
    Path file = Files.write(root.resolve("tone.wav"), Jobs.wav(TONE));
    try (AudioPreparer none = new AudioPreparer(SourceConfig.defaults())) {
      JobException e = assertThrows(JobException.class, () -> none.prepare(Jobs.file(file)));
      assertEquals(ErrorCode.SOURCE_FORBIDDEN, e.code());
    }
  }

  @Test
  void nothingIsFetchedUnlessItIsListed() {
    for (String uri :
        List.of(
            "http://a.example/x.wav",
            "https://a.example/x.wav",
            "s3://bucket/x.wav",
            "ftp://a.example/x.wav",
            "jar:file:/x.jar!/x.wav",
            "file://host/x.wav",
            "x.wav")) {
      fails(ErrorCode.SOURCE_FORBIDDEN, Jobs.reference(URI.create(uri)));
    }
  }

  @Test
  void fullDiskIsNamedSo() throws IOException {
    try (FileChannel full = FileChannel.open(Path.of("/dev/full"), StandardOpenOption.WRITE)) {
      IOException e =
          assertThrows(IOException.class, () -> full.write(ByteBuffer.wrap(new byte[1])));
      assertEquals(ErrorCode.DISK_FULL, AudioPreparer.failure(e).code());
    }
    assertEquals(ErrorCode.INTERNAL, AudioPreparer.failure(new IOException("odd")).code());
  }

  @Test
  void interruptIsPassedOnAndCleared() throws Exception {
    Path file = Files.write(root.resolve("long.wav"), Jobs.wav(Jobs.tone(31 * 16_000)));
    Thread.currentThread().interrupt();
    assertThrows(InterruptedException.class, () -> preparer.prepare(Jobs.file(file)));
    assertFalse(Thread.interrupted());
  }
}
