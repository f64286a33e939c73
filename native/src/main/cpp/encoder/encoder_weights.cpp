#include "encoder/encoder_weights.h"

#include <algorithm>

#include "device/cpu/kernels.h"
#include "device/cpu/matmul.h"

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

LinearWeights linear(Arithmetic a, const TensorReader& read, const std::string& name, int64_t k, bool plain) {
  return pack_linear(a, read(name + ".weight"), read(name + ".bias"), k, encoder_block_rows(), plain);
}

// q, k and v as one projection; q carries the whole 1 / sqrt(64) of the scores (exact: a power of two).
LinearWeights fused_qkv(Arithmetic a, const TensorReader& read, const std::string& name, int64_t state,
                        bool plain) {
  auto w = read(name + ".q_proj.weight");
  auto b = read(name + ".q_proj.bias");
  for (auto& x : w) x *= 0.125f;
  for (auto& x : b) x *= 0.125f;
  const auto k = read(name + ".k_proj.weight"), v = read(name + ".v_proj.weight"),
             vb = read(name + ".v_proj.bias");
  w.insert(w.end(), k.begin(), k.end());
  w.insert(w.end(), v.begin(), v.end());
  b.insert(b.end(), static_cast<size_t>(state), 0.0f);
  b.insert(b.end(), vb.begin(), vb.end());
  return pack_linear(a, w, b, state, encoder_block_rows(), plain);
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
  if (w->half)
    w->attention = AttentionKind::kBf16;
  else if (fast && !options.exact_attention && &row_kernels() != &row_kernels_generic())
    w->attention = AttentionKind::kInt16;
  const std::string e = "model.encoder.";
  w->conv1 = convolution(read(e + "conv1.weight"), read(e + "conv1.bias"), s.mels, w->half);
  w->conv2 = pack_linear(options.exact_attention ? Arithmetic::kF32 : arithmetic,
                         by_frames(read(e + "conv2.weight"), static_cast<size_t>(s.state)),
                         read(e + "conv2.bias"), s.state * 3, encoder_block_rows());
  w->positions = AlignedArray<float>(read(e + "embed_positions.weight"));
  for (int i = 0; i < s.layers; i++) {
    const std::string l = e + "layers." + std::to_string(i) + ".";
    Block b;
    b.attention_norm = norm(read, l + "self_attn_layer_norm");
    b.qkv = fused_qkv(arithmetic, read, l + "self_attn", s.state, options.keep_plain);
    b.out = linear(arithmetic, read, l + "self_attn.out_proj", s.state, options.keep_plain);
    b.mlp_norm = norm(read, l + "final_layer_norm");
    b.fc1 = linear(arithmetic, read, l + "fc1", s.state, options.keep_plain);
    b.fc2 = linear(arithmetic, read, l + "fc2", 4 * s.state, options.keep_plain);
    for (const LinearWeights* linear : {&b.qkv, &b.out, &b.fc1, &b.fc2})
      w->bytes += linear->packed.size() + linear->plain.size();
    w->blocks.push_back(std::move(b));
  }
  w->final_norm = norm(read, e + "layer_norm");
  w->bytes += w->conv1.packed.size() + w->conv2.packed.size() + w->positions.size() * 4;
  return w;
}

}  // namespace amanuensis
