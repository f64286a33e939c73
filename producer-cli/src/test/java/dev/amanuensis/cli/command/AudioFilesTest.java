package dev.amanuensis.cli.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.amanuensis.cli.CliException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AudioFilesTest {
  @TempDir Path directory;

  @Test
  void directoryGivesItsAudioFilesByNameAndEachFileOnce() throws Exception {
    Path deep = Files.createDirectories(directory.resolve("sub"));
    Path first = Files.createFile(directory.resolve("a.FLAC"));
    Path second = Files.createFile(deep.resolve("b.mp3"));
    Files.createFile(deep.resolve("notes.txt"));
    assertThat(AudioFiles.list(List.of(second), directory)).containsExactly(second, first);
  }

  @Test
  void directoryWithoutAudioIsAnError() {
    assertThatThrownBy(() -> AudioFiles.list(List.of(), directory))
        .isInstanceOf(CliException.class)
        .hasMessageContaining("no audio files in " + directory);
  }

  @Test
  void contentTypeFollowsTheEnding() {
    assertThat(AudioFiles.contentType(Path.of("x/Talk.MP3"))).isEqualTo("audio/mpeg");
    assertThat(AudioFiles.contentType(Path.of("wav"))).isNull();
    assertThat(AudioFiles.contentType(Path.of("x.unknown"))).isNull();
  }
}
