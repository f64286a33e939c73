#include "decoder/decoder_weights.h"

#include "decoder/step_linear.h"
#include "model/tensor_reader.h"

namespace amanuensis {

namespace {
NormWeights read_norm(const TensorReader& read, const std::string& name) {
  return {AlignedArray<float>(read(name + ".weight")), AlignedArray<float>(read(name + ".bias"))};
}

template <class... More>
std::vector<float> stacked(std::vector<float> first, const More&... more) {
  (first.insert(first.end(), more.begin(), more.end()), ...);
  return first;
}

// Scores are q . k / sqrt(64); the factor goes into q's projection, where a power of two costs no accuracy.
std::vector<float> eighth(std::vector<float> v) {
  for (auto& x : v) x *= 0.125f;
  return v;
}

DecoderBlock load_block(const TensorReader& read, const std::string& l, int state,
                        const DecoderArithmetic& arithmetic, std::vector<LinearWeights>& cross,
                        bool plain_cross) {
  const Arithmetic a = arithmetic.layers;
  const auto linear = [&](const std::string& name, int64_t k) {
    return StepLinear::pack(a, read(l + name + ".weight"), read(l + name + ".bias"), k);
  };
  const std::vector<float> no_bias(static_cast<size_t>(state));
  DecoderBlock b;
  b.self_norm = read_norm(read, l + "self_attn_layer_norm");
  b.cross_norm = read_norm(read, l + "encoder_attn_layer_norm");
  b.mlp_norm = read_norm(read, l + "final_layer_norm");
  const std::string s = l + "self_attn.", c = l + "encoder_attn.";
  b.qkv = StepLinear::pack(
      a, stacked(eighth(read(s + "q_proj.weight")), read(s + "k_proj.weight"), read(s + "v_proj.weight")),
      stacked(eighth(read(s + "q_proj.bias")), no_bias, read(s + "v_proj.bias")), state);
  b.self_out = linear("self_attn.out_proj", state);
  b.cross_q = StepLinear::pack(a, eighth(read(c + "q_proj.weight")), eighth(read(c + "q_proj.bias")), state);
  b.cross_out = linear("encoder_attn.out_proj", state);
  b.fc1 = linear("fc1", state);
  b.fc2 = linear("fc2", 4 * state);
  cross.push_back(pack_linear(arithmetic.cross, stacked(read(c + "k_proj.weight"), read(c + "v_proj.weight")),
                              stacked(no_bias, read(c + "v_proj.bias")), state, kRunnerRows, plain_cross));
  return b;
}
}  // namespace

std::shared_ptr<const DecoderWeights> load_decoder(const DecoderShape& shape, DecoderArithmetic arithmetic,
                                                   const Safetensors& file, bool plain_cross) {
  const std::string d = "model.decoder.";
  const TensorReader read = [&file](const std::string& name) { return file.read(name); };
  auto w = std::make_shared<DecoderWeights>(file.rows(d + "embed_tokens.weight"));
  w->shape = shape;
  w->arithmetic = arithmetic;
  w->positions = AlignedArray<float>(read(d + "embed_positions.weight"));
  for (int i = 0; i < shape.layers; i++) {
    w->blocks.push_back(load_block(read, d + "layers." + std::to_string(i) + ".", shape.state, arithmetic,
                                   w->cross_kv, plain_cross));
    const auto& b = w->blocks.back();
    w->layer_bytes += b.qkv.bytes() + b.self_out.bytes() + b.cross_q.bytes() + b.cross_out.bytes() +
                      b.fc1.bytes() + b.fc2.bytes();
    w->bytes += w->cross_kv.back().bytes();
  }
  w->final_norm = read_norm(read, d + "layer_norm");
  w->logits = StepLinear::pack(arithmetic.logits, read(d + "embed_tokens.weight"), {}, shape.state);
  w->cross_layout = CrossKvLayout(arithmetic.cross, shape.layers, shape.heads, shape.frames);
  w->bytes += w->layer_bytes + w->logits.bytes() + 4 * w->positions.size();
  return w;
}

}  // namespace amanuensis
