#include "encoder/encoder_weights.h"

#include <algorithm>
#include <optional>

#include "device/cpu/kernels.h"
#include "device/cpu/matmul.h"
#include "encoder/smoothing.h"

namespace amanuensis {

size_t bytes_of(const EncoderWeights& w) { return w.bytes; }

namespace {
using Type = Matmul::Type;

// (out, in, 3) -> (out, 3, in): a row of the input is then three whole frames, one after another.
std::vector<float> by_frames(const std::vector<float>& w, size_t in) {
  std::vector<float> rows(w.size());
  for (size_t o = 0; o < w.size() / (3 * in); o++)
    for (size_t c = 0; c < in; c++)
      for (size_t t = 0; t < 3; t++) rows[(o * 3 + t) * in + c] = w[(o * in + c) * 3 + t];
  return rows;
}

Convolution convolution(const std::vector<float>& w, const std::vector<float>& b, int in, bool half) {
  const int64_t k = 3 * in, n = static_cast<int64_t>(b.size());
  const std::vector<float> rows = by_frames(w, static_cast<size_t>(in));
  const Type type = half ? Type::bf16 : Type::f32;
  Matmul shape(type, type, Type::f32, encoder_block_rows(), k, n, k, n);
  Convolution d{AlignedArray<uint8_t>(shape.packed_bytes()), AlignedArray<float>(b)};
  if (half) {
    std::vector<uint16_t> h(rows.size());
    std::transform(rows.begin(), rows.end(), h.begin(), to_bf16);
    shape.pack_rows(h.data(), d.packed.data());
  } else {
    shape.pack_rows(rows.data(), d.packed.data());
  }
  return d;
}

Norm norm(const TensorReader& read, const std::string& name) {
  return {AlignedArray<float>(read(name + ".weight")), AlignedArray<float>(read(name + ".bias"))};
}

// q, k and v as one projection; q carries the whole 1 / sqrt(64) of the scores (exact: a power of two).
void read_qkv(const TensorReader& read, const std::string& name, LayerTensors& layer) {
  layer.qkv = read(name + ".q_proj.weight");
  layer.qkv_bias = read(name + ".q_proj.bias");
  for (auto& x : layer.qkv) x *= 0.125f;
  for (auto& x : layer.qkv_bias) x *= 0.125f;
  const auto k = read(name + ".k_proj.weight"), v = read(name + ".v_proj.weight"),
             vb = read(name + ".v_proj.bias");
  layer.qkv.insert(layer.qkv.end(), k.begin(), k.end());
  layer.qkv.insert(layer.qkv.end(), v.begin(), v.end());
  layer.qkv_bias.resize(2 * vb.size());
  layer.qkv_bias.insert(layer.qkv_bias.end(), vb.begin(), vb.end());
}

LayerTensors read_layer(const TensorReader& read, const std::string& l) {
  LayerTensors t;
  t.attention_norm = norm(read, l + "self_attn_layer_norm");
  t.mlp_norm = norm(read, l + "final_layer_norm");
  read_qkv(read, l + "self_attn", t);
  t.out = read(l + "self_attn.out_proj.weight");
  t.out_bias = read(l + "self_attn.out_proj.bias");
  t.fc1 = read(l + "fc1.weight");
  t.fc1_bias = read(l + "fc1.bias");
  t.fc2 = read(l + "fc2.weight");
  t.fc2_bias = read(l + "fc2.bias");
  return t;
}

Block pack(LayerTensors t, Arithmetic a, int64_t state, bool plain) {
  const auto linear = [&](const std::vector<float>& weight, const std::vector<float>& bias, int64_t k) {
    return pack_linear(a, weight, bias, k, encoder_block_rows(), plain);
  };
  return {std::move(t.attention_norm),      std::move(t.mlp_norm),
          linear(t.qkv, t.qkv_bias, state), linear(t.out, t.out_bias, state),
          linear(t.fc1, t.fc1_bias, state), linear(t.fc2, t.fc2_bias, 4 * state)};
}

}  // namespace

std::shared_ptr<const EncoderWeights> load_encoder(const EncoderShape& s, const EncoderOptions& options,
                                                   const TensorReader& read) {
  const Arithmetic arithmetic = options.arithmetic;
  const bool fast = arithmetic == Arithmetic::kInt8;
  auto w = std::make_shared<EncoderWeights>();
  w->shape = s;
  w->arithmetic = arithmetic;
  w->padding = options.padding;
  w->half = fast && !options.exact_attention && bf16_is_fast();
  if (fast && !options.exact_attention) w->attention = fastest_attention();
  const std::string e = "model.encoder.";
  w->conv1 = convolution(read(e + "conv1.weight"), read(e + "conv1.bias"), s.mels, w->half);
  w->conv2 = pack_linear(options.exact_attention ? Arithmetic::kF32 : arithmetic,
                         by_frames(read(e + "conv2.weight"), static_cast<size_t>(s.state)),
                         read(e + "conv2.bias"), s.state * 3, encoder_block_rows());
  w->positions = AlignedArray<float>(read(e + "embed_positions.weight"));
  std::optional<Smoothing> smoothing;
  if (fast) smoothing.emplace(s, read);
  for (int i = 0; i < s.layers; i++) {
    LayerTensors layer = read_layer(read, e + "layers." + std::to_string(i) + ".");
    if (smoothing) smoothing->apply(layer);
    Block b = pack(std::move(layer), arithmetic, s.state, options.keep_plain);
    for (const LinearWeights* linear : {&b.qkv, &b.out, &b.fc1, &b.fc2})
      w->bytes += linear->packed.size() + linear->plain.size();
    w->blocks.push_back(std::move(b));
  }
  w->final_norm = norm(read, e + "layer_norm");
  w->bytes += w->conv1.packed.size() + w->conv2.packed.size() + w->positions.size() * 4;
  return w;
}

}  // namespace amanuensis
