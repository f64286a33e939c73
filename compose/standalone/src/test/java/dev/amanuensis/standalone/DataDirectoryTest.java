package dev.amanuensis.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataDirectoryTest {
  @TempDir Path home;

  @Test
  void secondUserIsRefusedUntilTheFirstIsGone() throws Exception {
    Path data = home.resolve("a/b");
    try (DataDirectory first = DataDirectory.lock(data)) {
      assertThat(first.path()).isEqualTo(data).isDirectory();
      assertThatThrownBy(() -> DataDirectory.lock(data))
          .isInstanceOf(CliException.class)
          .hasMessageContaining("another Amanuensis uses the data directory " + data)
          .hasMessageContaining("--data-dir");
    }
    DataDirectory.lock(data).close();
  }

  @Test
  void fileIsNoDataDirectory() throws Exception {
    Path file = Files.writeString(home.resolve("file"), "abc");
    assertThatThrownBy(() -> DataDirectory.lock(file))
        .isInstanceOfSatisfying(
            CliException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCodes.USAGE))
        .hasMessageContaining(file + " is not a directory")
        .hasMessageNotContaining("Exception");
  }
}
