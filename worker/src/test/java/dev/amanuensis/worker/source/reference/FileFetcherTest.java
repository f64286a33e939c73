package dev.amanuensis.worker.source.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.amanuensis.worker.job.AudioSource;
import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.JobException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The rest is in AudioPreparerTest. */
@Timeout(60)
class FileFetcherTest {
  @TempDir Path root;
  @TempDir Path outside;
  @TempDir Path spill;

  @Test
  void namedPipeIsNotWaitedFor() throws Exception {
    Path pipe = root.resolve("pipe.wav");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    try (AudioCopy copy = new AudioCopy(spill, 1000)) {
      assertThatThrownBy(() -> new FileFetcher(List.of(root)).fetch(pipe.toUri(), copy))
          .isInstanceOfSatisfying(
              JobException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.SOURCE_REFUSED));
    }
  }

  /**
   * One thread swaps a directory for a link to one outside and back, as fast as it can, while
   * another fetches a file in it: the secret outside must never arrive.
   */
  @Test
  void directorySwappedForALinkMeanwhileLeadsNowhere() throws Exception {
    Path inside = Files.createDirectory(root.resolve("d"));
    Files.writeString(inside.resolve("a.wav"), "public");
    Files.writeString(outside.resolve("a.wav"), "secret");
    Path link = Files.createSymbolicLink(root.resolve("link"), outside);
    URI uri = inside.resolve("a.wav").toUri();
    AtomicBoolean stop = new AtomicBoolean();
    Thread swapper = new Thread(() -> swap(inside, link, stop));
    swapper.start();
    FileFetcher fetcher = new FileFetcher(List.of(root));
    int arrived = 0;
    int refused = 0;
    try {
      while (arrived < 300 || refused < 300) {
        try (AudioCopy copy = new AudioCopy(spill, 1000)) {
          fetcher.fetch(uri, copy);
          assertThat(copy.path()).hasContent("public");
          arrived++;
        } catch (JobException e) {
          refused++;
        }
      }
    } finally {
      stop.set(true);
      swapper.join();
    }
  }

  /** Writing the copy ends by an interrupt as waiting for the network does. */
  @Test
  void interruptWhileCopyingIsTheJobsEndAndLeavesNothing() throws Exception {
    Path file = Files.writeString(root.resolve("a.wav"), "audio");
    try (References references =
        new References(ReferenceConfig.files(List.of(root)), spill, 1000)) {
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> references.fetch(new AudioSource.Reference(file.toUri(), null)))
          .isInstanceOf(InterruptedException.class);
    }
    assertThat(Thread.interrupted()).isFalse();
    assertThat(spill).isEmptyDirectory();
  }

  private void swap(Path inside, Path link, AtomicBoolean stop) {
    Path aside = root.resolve("aside");
    try {
      while (!stop.get()) {
        Files.move(inside, aside, StandardCopyOption.ATOMIC_MOVE);
        Files.move(link, inside, StandardCopyOption.ATOMIC_MOVE);
        Files.move(inside, link, StandardCopyOption.ATOMIC_MOVE);
        Files.move(aside, inside, StandardCopyOption.ATOMIC_MOVE);
      }
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
