package dev.amanuensis.cli.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SpoolTest {
  private final BlockingQueue<String> notices = new LinkedBlockingQueue<>();
  @TempDir Path directory;

  private Path pipe() throws Exception {
    Path pipe = directory.resolve("pipe.wav");
    Process made = new ProcessBuilder("mkfifo", pipe.toString()).inheritIO().start();
    assertThat(made.waitFor()).isZero();
    return pipe;
  }

  @Test
  void regularFileIsReadWhereItIs() throws Exception {
    Path file = Files.writeString(directory.resolve("a.wav"), "abc");
    Path link = Files.createSymbolicLink(directory.resolve("link.wav"), file);
    try (Spool spool = new Spool(InputStream.nullInputStream(), notices::add)) {
      assertThat(spool.input(file)).isEqualTo(new Input(file, file));
      assertThat(spool.input(link)).isEqualTo(new Input(link, link));
    }
    assertThat(file).exists();
  }

  @Test
  void standardInputIsKeptUntilTheEnd() throws Exception {
    Path copy;
    try (Spool spool = new Spool(new ByteArrayInputStream("abc".getBytes()), notices::add)) {
      Input input = spool.input(Path.of("-"));
      copy = input.data();
      assertThat(input.named()).isEqualTo(Path.of("-"));
      assertThat(copy).hasContent("abc");
      assertThat(Files.getPosixFilePermissions(copy))
          .containsExactlyInAnyOrder(
              PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);
    }
    assertThat(copy).doesNotExist();
    assertThat(notices).isEmpty();
  }

  @Test
  void pipeIsReadToItsEnd() throws Exception {
    Path pipe = pipe();
    CompletableFuture<Path> writer =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return Files.writeString(pipe, "abc");
              } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
              }
            });
    try (Spool spool = new Spool(InputStream.nullInputStream(), notices::add)) {
      Input input = spool.input(pipe);
      assertThat(input.named()).isEqualTo(pipe);
      assertThat(input.data()).hasContent("abc");
    }
    writer.join();
  }

  @Test
  void pipeWithoutAWriterIsSaidToBeWaitedFor() throws Exception {
    Path pipe = pipe();
    CompletableFuture<Path> writer =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                notices.add(notices.take()); // writes once something was said
                return Files.writeString(pipe, "abc");
              } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    try (Spool spool =
        new Spool(InputStream.nullInputStream(), notices::add, Duration.ofMillis(50))) {
      assertThat(spool.input(pipe).data()).hasContent("abc");
    }
    writer.join();
    assertThat(notices).singleElement().asString().contains("waiting", pipe.toString(), "Ctrl-C");
  }

  @Test
  void deviceIsRefused() {
    try (Spool spool = new Spool(InputStream.nullInputStream(), notices::add)) {
      assertThatThrownBy(() -> spool.input(Path.of("/dev/zero")))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("neither a file nor a pipe");
    }
  }

  @Test
  void whatIsNotThereIsSaidToBe() {
    try (Spool spool = new Spool(InputStream.nullInputStream(), notices::add)) {
      assertThatThrownBy(() -> spool.input(directory.resolve("none.wav")))
          .isInstanceOf(NoSuchFileException.class);
    }
  }
}
