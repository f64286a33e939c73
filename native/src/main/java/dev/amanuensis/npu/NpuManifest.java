package dev.amanuensis.npu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.amanuensis.engine.NpuProgram;
import dev.amanuensis.model.UserCache;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** The compiled programs in a folder, as native/npu/build-artifacts leaves them. */
public final class NpuManifest {
  public static final String FILE = "manifest.json";

  /** Rows of a window, padded to what the array's tiles take. */
  private static final long ROWS = 1536;

  /** k and n of the products of Whisper base: out, q k v, fc1, fc2, cross-attention K and V. */
  static final List<long[]> NEEDED =
      List.of(
          new long[] {512, 512},
          new long[] {512, 1536},
          new long[] {512, 2048},
          new long[] {2048, 512},
          new long[] {512, 1024});

  private final Path folder;
  private final List<NpuProduct> products;

  NpuManifest(Path folder, List<NpuProduct> products) {
    this.folder = folder;
    this.products = List.copyOf(products);
  }

  /** Where artifacts lie unless somebody says otherwise. */
  public static Path defaultFolder() {
    return UserCache.directory(System.getenv()).resolve("npu");
  }

  /**
   * @throws IOException if there is none, or it can't be read
   */
  public static NpuManifest read(Path folder) throws IOException {
    JsonNode root = new ObjectMapper().readTree(folder.resolve(FILE).toFile());
    if (root.path("format").asInt() != 1) {
      throw new IOException(folder.resolve(FILE) + ": format is not 1");
    }
    List<NpuProduct> products = new ArrayList<>();
    for (JsonNode p : root.path("products")) {
      products.add(
          new NpuProduct(
              p.path("xclbin").asText(),
              p.path("xclbin_sha256").asText(),
              p.path("kernel").asText("MLIR_AIE"),
              p.path("instructions").asText(),
              p.path("instructions_sha256").asText(),
              p.path("a").asText(),
              p.path("b").asText(),
              p.path("c").asText(),
              p.path("layout").asText(),
              p.path("m").asLong(),
              p.path("k").asLong(),
              p.path("n").asLong(),
              p.path("columns").asInt(),
              p.path("tile").path("m").asLong(),
              p.path("tile").path("k").asLong(),
              p.path("tile").path("n").asLong()));
    }
    return new NpuManifest(folder, products);
  }

  public List<NpuProduct> products() {
    return products;
  }

  /** Everything that is wrong with it, in sentences; empty if it can be used. */
  public List<String> problems() {
    List<String> problems = new ArrayList<>();
    for (NpuProduct p : products) {
      p.problems().forEach(text -> problems.add(p.shape() + ": " + text));
      checkFile(problems, p.xclbin(), p.xclbinSha256());
      checkFile(problems, p.instructions(), p.instructionsSha256());
    }
    for (long[] needed : NEEDED) {
      if (products.stream().noneMatch(p -> takes(p, needed[0], needed[1]))) {
        problems.add("no program takes (%d, %d, %d)".formatted(ROWS, needed[0], needed[1]));
      }
    }
    return problems.stream().distinct().toList();
  }

  private static boolean takes(NpuProduct p, long k, long n) {
    return p.m() >= ROWS - 36 && p.n() == n && k % p.k() == 0 && k / p.k() <= 4;
  }

  private void checkFile(List<String> problems, String name, String sha256) {
    Path file = folder.resolve(name).normalize();
    if (name.isEmpty() || !file.startsWith(folder.normalize())) {
      problems.add("'" + name + "' is not a file of the folder");
    } else if (!Files.isRegularFile(file)) {
      problems.add(file + " is missing");
    } else if (!sha256(file).equals(sha256)) {
      problems.add(file + " is not the file that the manifest was made with (sha256 differs)");
    }
  }

  private static String sha256(Path file) {
    try (InputStream in = Files.newInputStream(file);
        DigestInputStream digest =
            new DigestInputStream(in, MessageDigest.getInstance("SHA-256"))) {
      digest.transferTo(java.io.OutputStream.nullOutputStream());
      return HexFormat.of().formatHex(digest.getMessageDigest().digest());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java has it
    }
  }

  /**
   * For {@link dev.amanuensis.engine.NpuDevice}: the programs of the first xclbin, and of others
   * only what it lacks, since each xclbin is a context of its own and changing between them costs
   * 2.7 ms.
   */
  public List<NpuProgram> programs() {
    List<NpuProduct> used = new ArrayList<>();
    for (NpuProduct p : products) {
      if (p.xclbin().equals(products.get(0).xclbin())
          || used.stream().noneMatch(u -> takes(u, p.k(), p.n()))) {
        used.add(p);
      }
    }
    return used.stream().map(this::program).toList();
  }

  /** One product as the engine takes it. */
  public NpuProgram program(NpuProduct p) {
    return new NpuProgram(
        folder.resolve(p.xclbin()).toAbsolutePath(),
        p.kernel(),
        folder.resolve(p.instructions()).toAbsolutePath(),
        p.m(),
        p.k(),
        p.n());
  }
}
