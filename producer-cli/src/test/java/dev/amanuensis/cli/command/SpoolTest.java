package dev.amanuensis.cli.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SpoolTest {
  @TempDir Path directory;

  @Test
  void regularFileIsReadWhereItIs() throws Exception {
    Path file = Files.writeString(directory.resolve("a.wav"), "abc");
    Path link = Files.createSymbolicLink(directory.resolve("link.wav"), file);
    try (Spool spool = new Spool(InputStream.nullInputStream())) {
      assertThat(spool.input(file)).isEqualTo(new Input(file, file));
      assertThat(spool.input(link)).isEqualTo(new Input(link, link));
    }
    assertThat(file).exists();
  }

  @Test
  void standardInputIsKeptUntilTheEnd() throws Exception {
    Path copy;
    try (Spool spool = new Spool(new ByteArrayInputStream("abc".getBytes()))) {
      Input input = spool.input(Path.of("-"));
      copy = input.data();
      assertThat(input.named()).isEqualTo(Path.of("-"));
      assertThat(copy).hasContent("abc");
    }
    assertThat(copy).doesNotExist();
  }

  @Test
  void pipeIsReadToItsEnd() throws Exception {
    Path pipe = directory.resolve("pipe.wav");
    Process made = new ProcessBuilder("mkfifo", pipe.toString()).inheritIO().start();
    assertThat(made.waitFor()).isZero();
    CompletableFuture<Path> writer =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return Files.writeString(pipe, "abc");
              } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
              }
            });
    try (Spool spool = new Spool(InputStream.nullInputStream())) {
      Input input = spool.input(pipe);
      assertThat(input.named()).isEqualTo(pipe);
      assertThat(input.data()).hasContent("abc");
    }
    writer.join();
  }

  @Test
  void whatIsNotThereIsSaidToBe() {
    try (Spool spool = new Spool(InputStream.nullInputStream())) {
      assertThatThrownBy(() -> spool.input(directory.resolve("none.wav")))
          .isInstanceOf(NoSuchFileException.class);
    }
  }
}
