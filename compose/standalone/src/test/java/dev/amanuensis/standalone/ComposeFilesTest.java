package dev.amanuensis.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.AbstractConstruct;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;

/** What can be said of the compose files without a container runtime. */
class ComposeFilesTest {
  /** Compose's tag for what replaces a value instead of being merged with it. */
  private static final Tag OVERRIDE = new Tag("!override");

  private static final class ComposeTags extends SafeConstructor {
    ComposeTags() {
      super(new LoaderOptions());
      yamlConstructors.put(
          OVERRIDE,
          new AbstractConstruct() {
            @Override
            public Object construct(Node node) {
              return node instanceof MappingNode map
                  ? constructMapping(map)
                  : constructSequence((SequenceNode) node);
            }
          });
    }
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Map<String, Object>> services(String file) throws IOException {
    try (Reader in = Files.newBufferedReader(Path.of("..", file))) {
      Map<String, Object> all = new Yaml(new ComposeTags()).load(in);
      return (Map<String, Map<String, Object>>) all.get("services");
    }
  }

  @Test
  void noServiceHasOrGainsCapabilities() throws Exception {
    services("compose.yaml")
        .forEach(
            (name, service) -> {
              assertThat(service.get("cap_drop")).as(name).isEqualTo(List.of("ALL"));
              assertThat(service.get("security_opt").toString())
                  .as(name)
                  .contains("no-new-privileges:true");
              assertThat(service.containsKey("cap_add"))
                  .as(name)
                  .isEqualTo(name.equals("credentials"));
            });
  }

  @Test
  void audioIsSpooledToDiskAndTmpIsSmall() throws Exception {
    for (String file : List.of("compose.yaml", "compose.tls.yaml")) {
      for (String name : List.of("worker", "gateway")) {
        assertThat((List<?>) services(file).get(name).get("volumes"))
            .as("%s, %s", file, name)
            .asString()
            .contains("/spool");
      }
    }
    assertThat(services("compose.yaml").get("worker").get("tmpfs").toString()).contains("size=64m");
    assertThat(Files.readString(Path.of("../Dockerfile"))).contains("ENV TMPDIR=/spool");
  }

  @Test
  void tlsOverlayWaitsForNothingThatRunsElsewhere() throws Exception {
    for (String name : List.of("worker", "gateway")) {
      Map<?, ?> dependsOn = (Map<?, ?>) services("compose.tls.yaml").get(name).get("depends_on");
      assertThat(dependsOn).as(name).isNotEmpty();
      assertThat(List.of("topics", "model")).as(name).containsAll(keys(dependsOn));
    }
    assertThat(Files.readString(Path.of("../compose.tls.yaml")))
        .contains("depends_on: !override")
        .doesNotContain("depends_on:\n");
  }

  private static List<String> keys(Map<?, ?> map) {
    return map.keySet().stream().map(Object::toString).toList();
  }

  @Test
  void whatStandsInForTlsElsewhereHasNoCapabilities() throws Exception {
    services("tls/compose.yaml")
        .forEach(
            (name, service) -> {
              assertThat(service.get("cap_drop")).as(name).isEqualTo(List.of("ALL"));
              assertThat(service.containsKey("cap_add")).as(name).isFalse();
              assertThat(service.get("ports").toString()).as(name).contains("127.0.0.1:");
            });
  }

  @Test
  void npuOverlayNamesTheFolderThatItMounts() throws Exception {
    Map<String, Object> worker = services("compose.npu.yaml").get("worker");
    String folder =
        (String) ((Map<?, ?>) worker.get("environment")).get("AMANUENSIS_NPU_ARTIFACTS");
    assertThat(worker.get("volumes").toString()).contains(":" + folder + ":ro");
  }
}
