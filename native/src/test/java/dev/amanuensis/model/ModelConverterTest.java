package dev.amanuensis.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelConverterTest {
  @TempDir Path directory;

  @Test
  void writesSafetensorsWithHuggingFaceNames() throws Exception {
    Safetensors file = convert(TinyModel.whisper());

    assertThat(file.header.fieldNames())
        .toIterable()
        .containsExactlyInAnyOrder(
            "__metadata__",
            "model.decoder.embed_tokens.weight",
            "model.decoder.layers.0.encoder_attn.k_proj.weight",
            "model.decoder.layers.0.encoder_attn.v_proj.weight",
            "model.decoder.layers.11.fc1.bias",
            "model.encoder.conv1.weight",
            "model.encoder.layers.0.self_attn.q_proj.bias",
            "model.encoder.layers.0.self_attn.v_proj.bias",
            "model.encoder.layers.0.self_attn.q_proj.weight",
            "model.encoder.layers.0.self_attn.k_proj.weight",
            "model.encoder.layers.0.self_attn.v_proj.weight",
            "model.encoder.layers.0.self_attn_layer_norm.weight",
            "model.encoder.embed_positions.weight");
    assertThat(file.header.at("/model.encoder.conv1.weight/dtype").asText()).isEqualTo("F16");
    assertThat(file.header.at("/model.encoder.conv1.weight/shape").toString()).isEqualTo("[4,2,3]");
  }

  @Test
  void cutsStackedRowsApart() throws Exception {
    Safetensors file = convert(TinyModel.whisper());

    String attention = "model.encoder.layers.0.self_attn.";
    assertThat(file.shorts(attention + "q_proj.weight")).startsWith((short) 1).hasSize(16);
    assertThat(file.shorts(attention + "k_proj.weight")).startsWith((short) 17).hasSize(16);
    assertThat(file.shorts(attention + "v_proj.weight")).startsWith((short) 33).hasSize(16);
    assertThat(file.shorts(attention + "q_proj.bias")).containsExactly(1, 2, 3, 4);
    assertThat(file.shorts(attention + "v_proj.bias")).containsExactly(9, 10, 11, 12);
  }

  @Test
  void alignsTheDataAndLeavesNoGaps() throws Exception {
    Safetensors file = convert(TinyModel.whisper());

    assertThat(file.dataStart % 64).isZero();
    long covered = 0;
    for (JsonNode entry : file.header) {
      if (entry.has("data_offsets")) {
        covered += entry.at("/data_offsets/1").asLong() - entry.at("/data_offsets/0").asLong();
      }
    }
    assertThat(file.bytes.length).isEqualTo(file.dataStart + covered);
  }

  @Test
  void refusesWhatIsNotWhisper() {
    assertThatThrownBy(() -> convert(TinyModel.whisper().halves("decoder/extra/weight", 2, 2)))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("unexpected tensor")
        .hasMessageContaining("decoder/extra/weight");
    assertThatThrownBy(
            () ->
                convert(new TinyModel().halves("encoder/layer_0/self_attention/linear_0/bias", 12)))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("k_proj.bias is not zero");
    assertThatThrownBy(
            () ->
                convert(
                    new TinyModel().halves("encoder/layer_0/self_attention/linear_0/weight", 13)))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("unexpected type or shape");
  }

  private Safetensors convert(TinyModel model) throws Exception {
    Path bin = directory.resolve("model.bin");
    Path out = directory.resolve("model.safetensors");
    Files.write(bin, model.bytes());
    ModelConverter.convert(bin, out);
    return new Safetensors(Files.readAllBytes(out));
  }

  /** An independent reader of the format, as its specification says. */
  private static final class Safetensors {
    final byte[] bytes;
    final int dataStart;
    final JsonNode header;

    Safetensors(byte[] bytes) throws Exception {
      this.bytes = bytes;
      int length = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
      this.dataStart = 8 + length;
      this.header = new ObjectMapper().readTree(bytes, 8, length);
    }

    short[] shorts(String name) {
      JsonNode offsets = header.path(name).path("data_offsets");
      int start = offsets.get(0).asInt();
      short[] out = new short[(offsets.get(1).asInt() - start) / 2];
      ByteBuffer.wrap(bytes, dataStart + start, 2 * out.length)
          .order(ByteOrder.LITTLE_ENDIAN)
          .asShortBuffer()
          .get(out);
      return out;
    }
  }
}
