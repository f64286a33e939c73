package dev.amanuensis.worker.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** docs/configuration.md is made from the catalogue: {@code -Dreference.update} writes it anew. */
class ConfigurationReferenceTest {
  private static final Path REFERENCE = Path.of("../docs/configuration.md");

  @Test
  void referenceHoldsEverySetting() throws IOException {
    String made = reference();
    if (System.getProperty("reference.update") != null) {
      Files.createDirectories(REFERENCE.getParent());
      Files.writeString(REFERENCE, made);
    }
    assertThat(REFERENCE)
        .as(
            "written anew by: mvn -pl worker -am test -Dtest=ConfigurationReferenceTest"
                + " -Dsurefire.failIfNoSpecifiedTests=false -Dreference.update")
        .hasContent(made);
  }

  private static String reference() {
    StringBuilder text =
        new StringBuilder(
            """
            # Configuration of a worker

            Given as `--set KEY=VALUE` to `worker` and `standalone`, or as an environment variable; what is given
            on the command line wins. Keys that start with `%s` go, without that prefix, to every Kafka client
            and to the Schema Registry's. Made by a test from the catalogue of settings; don't edit.

            | key | environment variable | default | meaning |
            |---|---|---|---|
            """
                .formatted(Setting.CLIENT_PREFIX));
    for (Setting s : Setting.values()) {
      String value = s.defaultValue().isEmpty() ? "" : "`" + s.defaultValue() + "`";
      text.append(
          "| `%s` | `%s` | %s | %s |%n"
              .formatted(s.key(), s.variable(), value, s.meaning().replace("|", "\\|")));
    }
    return text.toString();
  }
}
