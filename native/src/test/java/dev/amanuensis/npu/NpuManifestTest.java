package dev.amanuensis.npu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NpuManifestTest {
  @TempDir Path folder;

  private static NpuProduct product(
      long m, long k, long n, int columns, long tm, long tk, long tn) {
    return new NpuProduct(
        "p.xclbin",
        "",
        "MLIR_AIE",
        "p.insts",
        "",
        "i8",
        "i8",
        "i32",
        "row_major",
        m,
        k,
        n,
        columns,
        tm,
        tk,
        tn);
  }

  /** The designs that build-artifacts compiles. */
  private static List<NpuProduct> designs() throws IOException {
    JsonNode root = new ObjectMapper().readTree(Path.of("npu/designs.json").toFile());
    JsonNode tile = root.get("tile");
    List<NpuProduct> designs = new ArrayList<>();
    for (JsonNode program : root.get("programs")) {
      for (JsonNode p : program.get("products")) {
        designs.add(
            product(
                p.get("m").asLong(),
                program.get("k").asLong(),
                p.get("n").asLong(),
                root.get("columns").asInt(),
                tile.get("m").asLong(),
                tile.get("k").asLong(),
                tile.get("n").asLong()));
      }
    }
    return designs;
  }

  @Test
  void everyDesignFitsTheArray() throws IOException {
    List<NpuProduct> designs = designs();
    assertEquals(5, designs.size());
    for (NpuProduct design : designs) {
      assertEquals(List.of(), design.problems(), design.shape());
      assertEquals(49_152 + 3_328, design.l1Bytes());
    }
  }

  @Test
  void theDesignsCoverEveryProductOfTheModel() throws IOException {
    List<NpuProduct> designs = designs();
    for (long[] needed : NpuManifest.NEEDED) {
      assertTrue(
          designs.stream().anyMatch(d -> d.k() == needed[0] && d.n() == needed[1]),
          needed[0] + " by " + needed[1]);
    }
  }

  @Test
  void whatTheArrayCannotTakeIsNamed() {
    assertTrue(product(1500, 512, 512, 8, 64, 64, 64).problems().get(0).startsWith("m is 1500"));
    assertTrue(product(1536, 240, 512, 8, 64, 64, 64).problems().get(0).startsWith("k is 240"));
    assertTrue(product(1536, 512, 80, 8, 64, 64, 64).problems().get(0).startsWith("n is 80"));
    assertTrue(product(1536, 512, 512, 3, 64, 64, 64).problems().get(0).startsWith("columns"));
    assertTrue(
        product(1536, 512, 1024, 8, 64, 64, 128).problems().get(0).contains("of its 65536"),
        "two tiles of sums of 64 x 128 do not fit beside the inputs");
  }

  @Test
  void aFolderIsHeldToItsHashes() throws Exception {
    Process made =
        new ProcessBuilder("src/test/xrt_fake/make-artifacts", folder.toString())
            .inheritIO()
            .start();
    assertEquals(0, made.waitFor());
    assertEquals(List.of(), NpuManifest.read(folder).problems());
    assertEquals(4, NpuManifest.read(folder).programs().size(), "one xclbin: fc2 runs in slices");
    Files.writeString(folder.resolve("k512.xclbin"), "other");
    Files.delete(folder.resolve("k512-1536x1024.insts"));
    List<String> problems = NpuManifest.read(folder).problems();
    assertEquals(2, problems.size(), problems.toString());
    assertTrue(problems.get(0).contains("sha256"), problems.toString());
    assertTrue(problems.get(1).contains("missing"), problems.toString());
  }

  @Test
  void aFileOutsideTheFolderIsRefused() throws IOException {
    Files.writeString(
        folder.resolve(NpuManifest.FILE),
        "{\"format\":1,\"products\":[{\"xclbin\":\"../p\",\"instructions\":\"/etc/passwd\","
            + "\"a\":\"i8\",\"b\":\"i8\",\"c\":\"i32\",\"layout\":\"row_major\",\"m\":1536,\"k\":512,"
            + "\"n\":512,\"columns\":8,\"tile\":{\"m\":64,\"k\":64,\"n\":64}}]}");
    List<String> problems = NpuManifest.read(folder).problems();
    assertTrue(problems.get(0).contains("not a file of the folder"), problems.toString());
    assertTrue(problems.get(1).contains("not a file of the folder"), problems.toString());
    Files.writeString(folder.resolve(NpuManifest.FILE), "{\"format\":2}");
    assertThrows(IOException.class, () -> NpuManifest.read(folder));
  }
}
