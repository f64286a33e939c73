package dev.amanuensis.model;

import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * From CTranslate2's variable names to the tensor names of Hugging Face's Whisper checkpoints. One
 * variable may hold several tensors stacked on rows.
 */
final class TensorNames {
  private static final Pattern LAYER = Pattern.compile("(encoder|decoder)/layer_(\\d{1,3})/(.+)");

  private static final Map<String, String> OUTSIDE_LAYERS =
      Map.ofEntries(
          Map.entry("encoder/conv1/weight", "encoder.conv1.weight"),
          Map.entry("encoder/conv1/bias", "encoder.conv1.bias"),
          Map.entry("encoder/conv2/weight", "encoder.conv2.weight"),
          Map.entry("encoder/conv2/bias", "encoder.conv2.bias"),
          Map.entry("encoder/position_encodings/encodings", "encoder.embed_positions.weight"),
          Map.entry("encoder/layer_norm/gamma", "encoder.layer_norm.weight"),
          Map.entry("encoder/layer_norm/beta", "encoder.layer_norm.bias"),
          Map.entry("decoder/embeddings/weight", "decoder.embed_tokens.weight"),
          Map.entry("decoder/position_encodings/encodings", "decoder.embed_positions.weight"),
          Map.entry("decoder/layer_norm/gamma", "decoder.layer_norm.weight"),
          Map.entry("decoder/layer_norm/beta", "decoder.layer_norm.bias"));

  /** Parts of a layer; the stacked tensors in the order of their rows. */
  private static final Map<String, List<String>> PARTS =
      Map.ofEntries(
          Map.entry("self_attention/layer_norm", List.of("self_attn_layer_norm")),
          Map.entry(
              "self_attention/linear_0",
              List.of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")),
          Map.entry("self_attention/linear_1", List.of("self_attn.out_proj")),
          Map.entry("attention/layer_norm", List.of("encoder_attn_layer_norm")),
          Map.entry("attention/linear_0", List.of("encoder_attn.q_proj")),
          Map.entry("attention/linear_1", List.of("encoder_attn.k_proj", "encoder_attn.v_proj")),
          Map.entry("attention/linear_2", List.of("encoder_attn.out_proj")),
          Map.entry("ffn/layer_norm", List.of("final_layer_norm")),
          Map.entry("ffn/linear_0", List.of("fc1")),
          Map.entry("ffn/linear_1", List.of("fc2")));

  private static final Map<String, String> FIELDS =
      Map.of("weight", "weight", "bias", "bias", "gamma", "weight", "beta", "bias");

  private TensorNames() {}

  /** The tensors that are stacked in a variable, from its first row on; empty if it is unknown. */
  static List<String> of(String variable) {
    String outside = OUTSIDE_LAYERS.get(variable);
    if (outside != null) {
      return List.of("model." + outside);
    }
    Matcher layer = LAYER.matcher(variable);
    if (!layer.matches()) {
      return List.of();
    }
    String rest = layer.group(3);
    int slash = rest.lastIndexOf('/');
    String field = FIELDS.get(rest.substring(slash + 1));
    List<String> parts = slash < 0 ? null : PARTS.get(rest.substring(0, slash));
    if (field == null || parts == null) {
      return List.of();
    }
    String prefix = "model." + layer.group(1) + ".layers." + Integer.parseInt(layer.group(2)) + ".";
    return parts.stream().map(part -> prefix + part + "." + field).toList();
  }

  /** Whisper's key projections have no bias; CTranslate2 stores zeros for them. */
  static boolean isAbsent(String tensor) {
    return tensor.endsWith(".k_proj.bias");
  }
}
