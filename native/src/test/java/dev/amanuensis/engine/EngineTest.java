package dev.amanuensis.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EngineTest {
  @TempDir Path directory;

  @Test
  void describesTheModel() {
    try (Engine engine = Engine.open(Jfk.weights(), Profile.REFERENCE)) {
      ModelInfo info = engine.info();
      assertThat(info.profile()).isEqualTo(Profile.REFERENCE);
      assertThat(info.mels()).isEqualTo(80);
      assertThat(info.audioContext()).isEqualTo(1500);
      assertThat(info.audioState()).isEqualTo(512);
      assertThat(info.audioHeads()).isEqualTo(8);
      assertThat(info.audioLayers()).isEqualTo(6);
      assertThat(info.vocabulary()).isEqualTo(51865);
      assertThat(info.textContext()).isEqualTo(448);
      assertThat(info.textLayers()).isEqualTo(6);
      assertThat(info.multilingual()).isTrue();
      assertThat(info.languages()).isEqualTo(99);
      assertThat(info.eot()).isEqualTo(50257);
      assertThat(info.sot()).isEqualTo(50258);
      assertThat(info.noSpeech()).isEqualTo(50362);
      assertThat(info.noTimestamps()).isEqualTo(50363);
      assertThat(info.timestampBegin()).isEqualTo(50364);
      assertThat(info.alignmentHeads()).isEqualTo(8);
      assertThat(info.melBytes()).isEqualTo(80L * 3000 * 4);
      assertThat(info.encoderBytes()).isEqualTo(1500L * 512 * 4);
      assertThat(info.crossKvBytes()).isPositive();
    }
  }

  @Test
  void describesTheProcessor() {
    CpuInfo cpu = Engine.cpu();
    System.out.println(cpu);
    assertThat(cpu.logicalCpus()).isPositive();
    assertThat(cpu.isa()).isNotBlank();
    assertThat(cpu.dnnlVersion()).isNotBlank();
  }

  @Test
  void missingFileIsAnIoError() {
    fails(directory.resolve("nowhere.safetensors"), EngineStatus.IO, "nowhere.safetensors");
  }

  @Test
  void emptyAndTruncatedFilesAreBadModels() throws IOException {
    byte[] whole = Files.readAllBytes(Jfk.weights());
    int dataStart = 8 + (int) littleEndian(whole).getLong(0);
    for (int length : new int[] {0, 7, 8, 100, dataStart, whole.length / 2, whole.length - 1}) {
      Path file = directory.resolve("cut");
      Files.write(file, Arrays.copyOf(whole, length));
      fails(file, EngineStatus.BAD_MODEL, "");
    }
  }

  @Test
  void damagedHeadersAreBadModels() throws IOException {
    byte[] whole = Files.readAllBytes(Jfk.weights());

    byte[] hugeHeader = whole.clone();
    littleEndian(hugeHeader).putLong(0, Long.MAX_VALUE);
    fails(write(hugeHeader), EngineStatus.BAD_MODEL, "");

    byte[] notJson = whole.clone();
    notJson[8] ^= 0x40;
    fails(write(notJson), EngineStatus.BAD_MODEL, "");

    fails(write(edit(whole, "[51865,512]", "[51865,513]")), EngineStatus.BAD_MODEL, "");
    fails(write(edit(whole, "[0,53109760]", "[4,53109764]")), EngineStatus.BAD_MODEL, "");
    fails(write(edit(whole, "[0,53109760]", "[0,99999999]")), EngineStatus.BAD_MODEL, "");
    fails(write(edit(whole, "\"F16\"", "\"I16\"")), EngineStatus.BAD_MODEL, "");
  }

  @Test
  void missingTensorIsNamed() throws IOException {
    byte[] whole = Files.readAllBytes(Jfk.weights());
    byte[] renamed = edit(whole, "model.encoder.conv1.weight", "model.encoder.conv9.weight");
    fails(write(renamed), EngineStatus.BAD_MODEL, "model.encoder.conv1.weight");
  }

  @Test
  void closedHandlesRefuseCalls() {
    Engine engine = Engine.open(Jfk.weights(), Profile.REFERENCE);
    EncoderLane lane = engine.newLane(1);
    engine.close();
    engine.close();

    assertThatThrownBy(() -> engine.newLane(1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the engine is closed");
    try (NativeBuffer mel = NativeBuffer.allocate(engine.info().melBytes());
        NativeBuffer states = NativeBuffer.allocate(engine.info().encoderBytes())) {
      lane.encode(mel, Engine.WINDOW_FRAMES, states); // a lane keeps its model alive
      lane.close();
      assertThatThrownBy(() -> lane.encode(mel, Engine.WINDOW_FRAMES, states))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("the encoder lane is closed");
    }
  }

  @Test
  void buffersOfAWrongSizeAreRefused() {
    try (Engine engine = Engine.open(Jfk.weights(), Profile.REFERENCE);
        NativeBuffer small = NativeBuffer.allocate(engine.info().melBytes() - 4)) {
      ByteBuffer pcm = ByteBuffer.allocateDirect(3200);
      assertThatThrownBy(() -> engine.melWindow(pcm, 1600, 0, 10, 0f, small))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("a mel window needs");
      assertThatThrownBy(() -> engine.melMax(pcm, 1601, 0, 10))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("pcm needs 3202 bytes");
      assertThatThrownBy(() -> engine.melMax(ByteBuffer.allocate(3200), 1600, 0, 10))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("direct");
    }
  }

  private Path write(byte[] bytes) throws IOException {
    return Files.write(directory.resolve("model.safetensors"), bytes);
  }

  /** Replaces the first occurrence in the header by a text of the same length. */
  private static byte[] edit(byte[] whole, String text, String replacement) {
    int end = 8 + (int) littleEndian(whole).getLong(0);
    int at = new String(whole, 0, end, StandardCharsets.ISO_8859_1).indexOf(text);
    assertThat(at).as("'%s' in the header", text).isPositive();
    assertThat(replacement).hasSameSizeAs(text);
    byte[] edited = whole.clone();
    System.arraycopy(
        replacement.getBytes(StandardCharsets.ISO_8859_1), 0, edited, at, replacement.length());
    return edited;
  }

  private static ByteBuffer littleEndian(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void fails(Path file, EngineStatus status, String message) {
    assertThatThrownBy(() -> Engine.open(file, Profile.REFERENCE).close())
        .isInstanceOf(EngineException.class)
        .hasMessageContaining(message)
        .satisfies(e -> System.out.println("refused: " + e.getMessage()))
        .extracting(e -> ((EngineException) e).status())
        .isEqualTo(status);
  }
}
