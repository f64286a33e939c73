package dev.amanuensis.npu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * npu/build-artifacts around a compiler that only writes files: what it keeps, names and stamps.
 * The real toolchain is not executed.
 */
class BuildArtifactsTest {
  /** As whole_array's Makefile names its results. */
  private static final String MAKEFILE =
      """
      s=${M}x${K}x${N}_${m}x${k}x${n}_${n_aie_cols}c
      build/final_$s.xclbin:
      \tmkdir -p build && echo program $s >build/final_$s.xclbin && echo words $s >build/insts_$s.txt
      """
          .replace("$s", "${s}");

  @TempDir Path folder;
  private Path output;
  private Path work;
  private String venv;

  @BeforeEach
  void toolchain() throws IOException {
    for (String tool : new String[] {"python3", "make", "git", "bash"}) {
      assumeTrue(inPath(tool), tool + " is not installed");
    }
    output = folder.resolve("output");
    work = folder.resolve("work");
    Path example =
        folder.resolve("mlir-aie/programming_examples/basic/matrix_multiplication/whole_array");
    Files.writeString(Files.createDirectories(example).resolve("Makefile"), MAKEFILE);
    executable("xclbinutil", "#!/bin/sh\n");
    JsonNode designs = new ObjectMapper().readTree(Path.of("npu/designs.json").toFile());
    venv = "venv-" + designs.get("mlir_aie").asText() + "-" + designs.get("llvm_aie").asText();
  }

  private static boolean inPath(String tool) {
    return Stream.of(System.getenv("PATH").split(":"))
        .anyMatch(place -> Files.isExecutable(Path.of(place, tool)));
  }

  private void executable(String name, String text) throws IOException {
    Path bin = Files.createDirectories(folder.resolve("bin"));
    Path file = Files.writeString(bin.resolve(name), text);
    assertTrue(file.toFile().setExecutable(true));
  }

  private void install(String name, boolean complete) throws IOException {
    Path bin = Files.createDirectories(work.resolve(name).resolve("bin"));
    Files.writeString(bin.resolve("activate"), "");
    if (complete) {
      Files.writeString(work.resolve(name).resolve(".complete"), "");
    }
  }

  private int build(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("npu/build-artifacts"));
    command.addAll(List.of(arguments));
    command.add(output.toString());
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("log").toFile());
    builder.environment().put("WORK_DIR", work.toString());
    builder.environment().put("MLIR_AIE_SOURCE", folder.resolve("mlir-aie").toString());
    builder.environment().merge("PATH", folder.resolve("bin") + ":", (old, bin) -> bin + old);
    return builder.start().waitFor();
  }

  private List<String> xclbins() throws IOException {
    assertEquals(List.of(), NpuManifest.read(output).problems());
    return NpuManifest.read(output).products().stream().map(NpuProduct::xclbin).distinct().toList();
  }

  @Test
  void oneProgramServesAllProductsOfAK() throws Exception {
    install(venv, true);
    assertEquals(0, build(), () -> log());
    assertEquals(List.of("k512.xclbin", "k2048.xclbin"), xclbins());
  }

  @Test
  void eachProductCanHaveAProgramOfItsOwn() throws Exception {
    install(venv, true);
    assertEquals(0, build("--own-xclbin"), () -> log());
    assertEquals(NpuManifest.read(output).products().size(), xclbins().size());
    assertTrue(Files.readString(output.resolve("k512-1536x1024.xclbin")).contains("1536x512x1024"));
  }

  @Test
  void anotherOrUnfinishedToolchainIsNotTakenForTheOnePinned() throws Exception {
    install("venv-1.0.0-19.0.0", true);
    install(venv, false);
    // Instead of the installation, which needs network: the script must ask for one, and fail with
    // it.
    String python =
        """
        #!/bin/sh
        [ "$1" = -m ] && exit 7
        PATH=${PATH#*:} exec python3 "$@"
        """;
    executable("python3", python);
    assertEquals(7, build(), () -> log());
    assertFalse(Files.exists(work.resolve(venv).resolve(".complete")));
    assertFalse(Files.exists(output.resolve(NpuManifest.FILE)));
  }

  private String log() {
    try {
      return Files.readString(folder.resolve("log"));
    } catch (IOException e) {
      return e.toString();
    }
  }
}
