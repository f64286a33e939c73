package dev.amanuensis.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlacementAdviceTest {
  @TempDir Path home;

  private Input file(String name) throws Exception {
    Path file = home.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, "abc");
    return new Input(file, file);
  }

  @Test
  void nothingTooLargeNeedsNoAdvice() {
    assertThat(new PlacementAdvice(home).text()).isNull();
  }

  @Test
  void bothCommandsNameTheDirectoryThatIsSubmitted() throws Exception {
    Path tree = Files.createDirectory(home.resolve("my talks"));
    PlacementAdvice advice = new PlacementAdvice(tree);
    advice.tooLarge(file("my talks/may/a.wav"));
    advice.tooLarge(file("my talks/june/b.wav"));
    String quoted = "'" + tree.toRealPath() + "'";
    assertThat(advice.text().lines())
        .anyMatch(line -> line.endsWith("--allow-root " + quoted))
        .anyMatch(line -> line.endsWith("--file-root " + quoted))
        .anyMatch(line -> line.contains("--upload s3://"));
  }

  @Test
  void filesOfSeveralPlacesDoNotOpenWhatIsAboveThem() throws Exception {
    PlacementAdvice advice = new PlacementAdvice(null);
    advice.tooLarge(file("b/2.wav"));
    advice.tooLarge(file("a/1.wav"));
    advice.tooLarge(file("a/3.wav"));
    Path real = home.toRealPath();
    assertThat(advice.text())
        .contains(
            "--file-root %s --file-root %s\n".formatted(real.resolve("a"), real.resolve("b")));
  }

  @Test
  void copyOfAPipeIsNoFileToShare() throws Exception {
    PlacementAdvice advice = new PlacementAdvice(null);
    advice.tooLarge(new Input(Path.of("-"), file("copy.bin").data()));
    assertThat(advice.text()).contains("write it to a file").doesNotContain("--file-root");
  }

  @Test
  void quotesAreForTheShell() {
    assertThat(Shell.quoted("/srv/audio-1")).isEqualTo("/srv/audio-1");
    assertThat(Shell.quoted("/srv/it's here")).isEqualTo("'/srv/it'\\''s here'");
    assertThat(Shell.quoted("-x")).isEqualTo("'-x'");
  }
}
