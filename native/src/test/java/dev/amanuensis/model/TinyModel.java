package dev.amanuensis.model;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** Writes small files in CTranslate2's model format, right ones and wrong ones. */
final class TinyModel {
  static final byte FLOAT16 = 4;

  private record Entry(String name, int[] shape, byte type, byte[] data) {}

  private final List<Entry> entries = new ArrayList<>();
  private int version = 6;
  private String spec = "WhisperSpec";

  /** One tensor of every kind that the conversion treats in its own way. */
  static TinyModel whisper() {
    return new TinyModel()
        .with("decoder/alignment_layer", new int[0], (byte) 2, new byte[] {-1, -1})
        .halves("decoder/embeddings/weight", 7, 4)
        .halves("decoder/layer_0/attention/linear_1/weight", 8, 4)
        .halves("decoder/layer_11/ffn/linear_0/bias", 16)
        .halves("encoder/conv1/weight", 4, 2, 3)
        .with("encoder/layer_0/self_attention/linear_0/bias", new int[] {12}, FLOAT16, qkvBias())
        .halves("encoder/layer_0/self_attention/linear_0/weight", 12, 4)
        .halves("encoder/layer_0/self_attention/layer_norm/gamma", 4)
        .halves("encoder/position_encodings/encodings", 5, 4);
  }

  /** q and v count from 1, k is zero. */
  private static byte[] qkvBias() {
    ByteBuffer out = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < 12; i++) {
      out.putShort((short) (i >= 4 && i < 8 ? 0 : i + 1));
    }
    return out.array();
  }

  /** A tensor whose elements are 1, 2, 3 ... as bit patterns. */
  TinyModel halves(String name, int... shape) {
    int elements = 1;
    for (int dim : shape) {
      elements *= dim;
    }
    ByteBuffer data = ByteBuffer.allocate(2 * elements).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < elements; i++) {
      data.putShort((short) (i + 1));
    }
    return with(name, shape, FLOAT16, data.array());
  }

  TinyModel with(String name, int[] shape, byte type, byte[] data) {
    entries.add(new Entry(name, shape, type, data));
    return this;
  }

  TinyModel version(int number) {
    version = number;
    return this;
  }

  TinyModel spec(String name) {
    spec = name;
    return this;
  }

  byte[] bytes() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int32(out, version);
    string(out, spec);
    int32(out, 3);
    int32(out, entries.size());
    for (Entry entry : entries) {
      string(out, entry.name());
      out.write(entry.shape().length);
      for (int dim : entry.shape()) {
        int32(out, dim);
      }
      out.write(entry.type());
      int32(out, entry.data().length);
      out.writeBytes(entry.data());
    }
    boolean tied = entries.stream().anyMatch(e -> e.name().equals("decoder/embeddings/weight"));
    int32(out, tied ? 1 : 0);
    if (tied) {
      string(out, "decoder/projection/weight");
      string(out, "decoder/embeddings/weight");
    }
    return out.toByteArray();
  }

  static String sha256(byte[] bytes) {
    return HexFormat.of().formatHex(Hashes.newSha256().digest(bytes));
  }

  /** The model as the spec that a store needs to fetch it. */
  static ModelSpec spec(byte[] modelBin, byte[] tokenizer, Path scratch) throws IOException {
    Path bin = scratch.resolve("spec.bin");
    Path converted = scratch.resolve("spec.safetensors");
    Files.write(bin, modelBin);
    ModelConverter.convert(bin, converted);
    return new ModelSpec(
        "tiny",
        "someone/tiny",
        new Artifact("model.bin", modelBin.length, sha256(modelBin)),
        new Artifact(ModelStore.TOKENIZER, tokenizer.length, sha256(tokenizer)),
        List.of(),
        Hashes.sha256(converted));
  }

  private static void int32(ByteArrayOutputStream out, int value) {
    out.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
  }

  private static void string(ByteArrayOutputStream out, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.write(bytes.length + 1);
    out.write((bytes.length + 1) >> 8);
    out.writeBytes(bytes);
    out.write(0);
  }
}
