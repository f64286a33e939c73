#include "encoder/encoder.h"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "device/cpu/kernels.h"
#include "device/cpu/linear.h"
#include "device/cpu/matmul.h"
#include "device/cpu/memory.h"

namespace amanuensis {

namespace {

using Type = dnnl::memory::data_type;
constexpr int kHead = 64;

uint16_t bf16(float f) {
  uint32_t u;
  std::memcpy(&u, &f, 4);
  return static_cast<uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
}

// Convolution weights as a matrix (out, kernel, in), in bf16 or f32.
struct Convolution {
  int64_t k = 0, n = 0;
  AlignedArray<uint8_t> packed;
  AlignedArray<float> bias;
};

struct Norm {
  AlignedArray<float> gamma, beta;
};

struct Block {
  Norm attention_norm, mlp_norm;
  LinearWeights qkv, out, fc1, fc2;
};

}  // namespace

class EncoderWeights {
 public:
  EncoderShape shape;
  Arithmetic arithmetic = Arithmetic::kF32;  // of the projections and the MLP
  bool half = false;                         // bf16 attention and convolutions
  Convolution conv1, conv2;
  AlignedArray<float> positions;
  std::vector<Block> blocks;
  Norm final_norm;
  size_t bytes = 0;
};

size_t bytes_of(const EncoderWeights& w) { return w.bytes; }

namespace {

// (out, in, 3) -> (out, 3, in): a row of the input is then three whole frames, one after another.
Convolution convolution(const std::vector<float>& w, const std::vector<float>& b, int in, bool half,
                        int64_t lda) {
  Convolution d;
  d.k = 3 * in;
  d.n = static_cast<int64_t>(b.size());
  d.bias = AlignedArray<float>(b);
  std::vector<float> rows(w.size());
  for (int64_t o = 0; o < d.n; o++)
    for (int c = 0; c < in; c++)
      for (int t = 0; t < 3; t++)
        rows[static_cast<size_t>((o * 3 + t) * in + c)] = w[static_cast<size_t>((o * in + c) * 3 + t)];
  const Type type = half ? Type::bf16 : Type::f32;
  Matmul shape(type, type, Type::f32, encoder_block_rows(), d.k, d.n, lda, d.n);
  d.packed = AlignedArray<uint8_t>(shape.packed_bytes());
  if (half) {
    std::vector<uint16_t> h(rows.size());
    std::transform(rows.begin(), rows.end(), h.begin(), bf16);
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

std::shared_ptr<const EncoderWeights> load_encoder(const EncoderShape& s, Arithmetic arithmetic,
                                                   const TensorReader& read, bool keep_plain) {
  auto w = std::make_shared<EncoderWeights>();
  w->shape = s;
  w->arithmetic = arithmetic;
  w->half = arithmetic == Arithmetic::kInt8 && bf16_is_native();
  const std::string e = "model.encoder.";
  w->conv1 = convolution(read(e + "conv1.weight"), read(e + "conv1.bias"), s.mels, w->half, s.mels * 3);
  w->conv2 = convolution(read(e + "conv2.weight"), read(e + "conv2.bias"), s.state, w->half, s.state * 3);
  w->positions = AlignedArray<float>(read(e + "embed_positions.weight"));
  for (int i = 0; i < s.layers; i++) {
    const std::string l = e + "layers." + std::to_string(i) + ".";
    Block b;
    b.attention_norm = norm(read, l + "self_attn_layer_norm");
    b.qkv = fused_qkv(arithmetic, read, l + "self_attn", s.state, keep_plain);
    b.out = linear(arithmetic, read, l + "self_attn.out_proj", s.state, keep_plain);
    b.mlp_norm = norm(read, l + "final_layer_norm");
    b.fc1 = linear(arithmetic, read, l + "fc1", s.state, keep_plain);
    b.fc2 = linear(arithmetic, read, l + "fc2", 4 * s.state, keep_plain);
    for (const LinearWeights* linear : {&b.qkv, &b.out, &b.fc1, &b.fc2})
      w->bytes += linear->packed.size() + linear->plain.size();
    w->blocks.push_back(std::move(b));
  }
  w->final_norm = norm(read, e + "layer_norm");
  w->bytes += w->conv1.packed.size() + w->conv2.packed.size() + w->positions.size() * 4;
  return w;
}

namespace {

// What one thread needs: kernels (oneDNN scratchpads are per object) and block-sized scratch that stays in
// L2.
struct Workspace {
  Workspace(const EncoderShape& s, Arithmetic a, bool half, int rows)
      : rows(rows),
        conv1(type(half), type(half), Type::f32, rows, 3 * s.mels, s.state, 3 * s.mels, s.state),
        conv2(type(half), type(half), Type::f32, rows, 3 * s.state, s.state, 3 * s.state, s.state),
        qkv(input(a), input(a), output(a), rows, s.state, 3 * s.state, s.state, 3 * s.state),
        out(input(a), input(a), output(a), rows, s.state, s.state, s.state, s.state),
        fc1(input(a), input(a), output(a), rows, s.state, 4 * s.state, s.state, 4 * s.state),
        fc2(input(a), input(a), output(a), rows, 4 * s.state, s.state, 4 * s.state, s.state),
        scores(type(half), type(half), Type::f32, rows, kHead, s.context, s.state, s.context,
               Matmul::Layout::kPlainRows),
        values(type(half), type(half), Type::f32, rows, s.context, kHead, s.context, s.state),
        narrow(static_cast<size_t>(rows) * s.state * 4),
        wide(static_cast<size_t>(rows) * s.state * 4 * 4),
        acc(static_cast<size_t>(rows) * std::max(s.state * 4, s.context)),
        row(static_cast<size_t>(s.state) * 4),
        scale(static_cast<size_t>(rows)),
        patch(static_cast<size_t>(rows) * s.state * 3 * 4),
        probabilities(static_cast<size_t>(rows) * s.context * 4) {}
  static Type input(Arithmetic a) { return a == Arithmetic::kInt8 ? Type::s8 : Type::f32; }
  static Type output(Arithmetic a) { return a == Arithmetic::kInt8 ? Type::s32 : Type::f32; }
  static Type type(bool half) { return half ? Type::bf16 : Type::f32; }
  int rows;
  Matmul conv1, conv2, qkv, out, fc1, fc2, scores, values;
  AlignedArray<uint8_t> narrow, wide;  // inputs of the GEMMs: rows x state, rows x 4 state of int8 or f32
  AlignedArray<int32_t> acc;           // rows x 4 state of s32 or f32; also rows x context f32 scores
  AlignedArray<float> row, scale;
  AlignedArray<uint8_t> patch;          // rows x 3 state of T
  AlignedArray<uint8_t> probabilities;  // rows x context of T
};

}  // namespace

namespace {
// The steps around a GEMM of each arithmetic. n is the row length.
template <Arithmetic A>
struct Around;

template <>
struct Around<Arithmetic::kInt8> {
  using Input = int8_t;
  using Sum = int32_t;
  static float norm(const RowKernels& k, const float* x, const Norm& w, float* scratch, Input* q, int n) {
    return k.layer_norm_quantise(x, w.gamma.data(), w.beta.data(), scratch, q, n);
  }
  static float take(const RowKernels& k, const float* x, Input* q, int n) { return k.quantise(x, q, n); }
  template <class T>
  static void store(const RowKernels& k, const Sum* a, float scale, const LinearWeights& w, int at, T* y,
                    int n) {
    k.dequantise(a + at, scale, w.scale.data() + at, w.bias.data() + at, y, n);
  }
  static void add(const RowKernels& k, const Sum* a, float scale, const LinearWeights& w, float* y, int n) {
    k.dequantise_add(a, scale, w.scale.data(), w.bias.data(), y, n);
  }
  static float gelu(const RowKernels& k, const Sum* a, float scale, const LinearWeights& w, float* scratch,
                    Input* q, int n) {
    return k.dequantise_gelu_quantise(a, scale, w.scale.data(), w.bias.data(), scratch, q, n);
  }
};

template <>
struct Around<Arithmetic::kF32> {
  using Input = float;
  using Sum = float;
  static float norm(const RowKernels& k, const float* x, const Norm& w, float*, Input* q, int n) {
    k.layer_norm(x, w.gamma.data(), w.beta.data(), q, n);
    return 1;
  }
  static float take(const RowKernels&, const float* x, Input* q, int n) {
    std::memcpy(q, x, sizeof(float) * static_cast<size_t>(n));
    return 1;
  }
  static void store(const RowKernels& k, const Sum* a, float, const LinearWeights& w, int at, float* y,
                    int n) {
    k.bias_f32(a + at, w.bias.data() + at, y, n);
  }
  static void add(const RowKernels& k, const Sum* a, float, const LinearWeights& w, float* y, int n) {
    k.bias_add(a, w.bias.data(), y, n);
  }
  static float gelu(const RowKernels& k, const Sum* a, float, const LinearWeights& w, float*, Input* q,
                    int n) {
    k.bias_gelu_f32(a, w.bias.data(), q, n);
    return 1;
  }
};

}  // namespace

struct Encoder::Lane {
  Lane(std::shared_ptr<const EncoderWeights> weights, int n, GemmLane* device)
      : w(std::move(weights)), threads(n), k(row_kernels()), gemm(device) {
    const auto& s = w->shape;
    const auto cs = static_cast<size_t>(s.context) * s.state;
    const size_t element = w->half ? 2 : 4;
    for (int i = 0; i < n; i++)
      workspaces.push_back(std::make_unique<Workspace>(s, w->arithmetic, w->half, encoder_block_rows()));
    frames = AlignedArray<uint8_t>((static_cast<size_t>(s.context) * 2 + 2) * s.mels * element);
    hidden = AlignedArray<uint8_t>((static_cast<size_t>(s.context) * 2 + 2) * s.state * element);
    x = AlignedArray<float>(cs);
    attended = AlignedArray<float>(cs);
    q = AlignedArray<uint8_t>(cs * element);
    keys = AlignedArray<uint8_t>(cs * element);
    vals = AlignedArray<uint8_t>(cs * element);
    packed_values_bytes = (workspaces[0]->values.packed_bytes() + 63) / 64 * 64;
    packed_values = AlignedArray<uint8_t>(packed_values_bytes * static_cast<size_t>(s.heads));
    if (gemm == nullptr) return;
    row_scale = AlignedArray<float>(static_cast<size_t>(s.context));
    mlp_hidden = AlignedArray<int8_t>(cs * 4);
  }

  std::shared_ptr<const EncoderWeights> w;
  int threads;
  const RowKernels& k;
  GemmLane* gemm;  // null: no device
  std::vector<std::unique_ptr<Workspace>> workspaces;
  AlignedArray<uint8_t> frames;      // (2 context + 2) x mels of T, first and last row zero
  AlignedArray<uint8_t> hidden;      // (2 context + 2) x state of T, first and last row zero
  AlignedArray<float> x;             // the residual stream, context x state
  AlignedArray<float> attended;      // context x state
  AlignedArray<uint8_t> q;           // context x state of T
  AlignedArray<uint8_t> keys, vals;  // heads x context x 64 of T
  AlignedArray<uint8_t> packed_values;
  size_t packed_values_bytes = 0;
  AlignedArray<float> row_scale;    // context: scales of the rows that are with the device
  AlignedArray<int8_t> mlp_hidden;  // context x 4 state, between fc1 and fc2 on the device

  /// Runs work(bench, i) for i in [0, n) on this lane's threads.
  template <class F>
  void each(int n, F work) {
    if (threads == 1) {
      omp_set_num_threads(1);
      for (int i = 0; i < n; i++) work(*workspaces[0], i);
      return;
    }
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int i = 0; i < n; i++) work(*workspaces[static_cast<size_t>(omp_get_thread_num())], i);
  }
  template <class F>
  void blocks(int rows_total, F work) {
    const int rows = workspaces[0]->rows;
    each(rows_total / rows, [&](Workspace& b, int i) { work(b, i * rows); });
  }
  template <Arithmetic A, class T>
  void encode(const float* mel, int64_t stride, float* states, float* outputs);
  template <class T>
  void convolve(const float* mel, int64_t stride);
  template <Arithmetic A, class T>
  void project_qkv(const Block& block);
  template <class T>
  void attention_heads();
  template <Arithmetic A>
  void mlp(const Block& block);
  /// The same as project_qkv and mlp, with the products of all rows at once on the device.
  template <class T>
  void project_qkv_on_device(const Block& block);
  void mlp_on_device(const Block& block);
  template <class Before, class After>
  void product_on_device(const LinearWeights& weights, Before before, After after);
  template <Arithmetic A, class T>
  void store_qkv(const Block& block, const typename Around<A>::Sum* sums, float scale, size_t t);
};

namespace {
inline void store(uint16_t& to, float v) { to = bf16(v); }
inline void store(float& to, float v) { to = v; }
}  // namespace

template <class T>
void Encoder::Lane::convolve(const float* mel, int64_t stride) {
  const auto& s = w->shape;
  const int t2 = s.context * 2;
  T* f = reinterpret_cast<T*>(frames.data());
  T* h = reinterpret_cast<T*>(hidden.data());
  std::memset(f, 0, sizeof(T) * s.mels);
  std::memset(f + static_cast<size_t>(t2 + 1) * s.mels, 0, sizeof(T) * s.mels);
  std::memset(h, 0, sizeof(T) * s.state);
  std::memset(h + static_cast<size_t>(t2 + 1) * s.state, 0, sizeof(T) * s.state);
  blocks(t2, [&](Workspace& b, int first) {
    for (int m = 0; m < s.mels; m++)
      for (int t = first; t < first + b.rows; t++)
        store(f[static_cast<size_t>(t + 1) * s.mels + m], mel[m * stride + t]);
  });
  blocks(t2, [&](Workspace& b, int first) {
    T* patch = reinterpret_cast<T*>(b.patch.data());
    for (int r = 0; r < b.rows; r++)
      std::memcpy(patch + static_cast<size_t>(r) * 3 * s.mels, f + static_cast<size_t>(first + r) * s.mels,
                  sizeof(T) * 3 * s.mels);
    float* y = reinterpret_cast<float*>(b.acc.data());
    b.conv1.run(patch, w->conv1.packed.data(), y);
    for (int r = 0; r < b.rows; r++)
      k.bias_gelu(y + static_cast<size_t>(r) * s.state, w->conv1.bias.data(),
                  h + static_cast<size_t>(first + r + 1) * s.state, s.state);
  });
  blocks(s.context, [&](Workspace& b, int first) {
    T* patch = reinterpret_cast<T*>(b.patch.data());
    for (int r = 0; r < b.rows; r++)
      std::memcpy(patch + static_cast<size_t>(r) * 3 * s.state,
                  h + static_cast<size_t>(first + r) * 2 * s.state, sizeof(T) * 3 * s.state);
    float* y = reinterpret_cast<float*>(b.acc.data());
    b.conv2.run(patch, w->conv2.packed.data(), y);
    for (int r = 0; r < b.rows; r++) {
      const size_t at = static_cast<size_t>(first + r) * s.state;
      k.bias_gelu(y + static_cast<size_t>(r) * s.state, w->conv2.bias.data(), x.data() + at, s.state);
      for (int i = 0; i < s.state; i++) x.data()[at + i] += w->positions.data()[at + i];
    }
  });
}

template <Arithmetic A, class T>
void Encoder::Lane::project_qkv(const Block& block) {
  using Path = Around<A>;
  const auto& s = w->shape;
  const auto n = static_cast<size_t>(s.state);
  blocks(s.context, [&](Workspace& b, int first) {
    auto* in = reinterpret_cast<typename Path::Input*>(b.narrow.data());
    const auto* sums = reinterpret_cast<const typename Path::Sum*>(b.acc.data());
    for (int r = 0; r < b.rows; r++)
      b.scale[static_cast<size_t>(r)] =
          Path::norm(k, x.data() + static_cast<size_t>(first + r) * n, block.attention_norm, b.row.data(),
                     in + static_cast<size_t>(r) * n, s.state);
    b.qkv.run(in, block.qkv.packed.data(), b.acc.data());
    for (int r = 0; r < b.rows; r++) {
      store_qkv<A, T>(block, sums + static_cast<size_t>(r) * 3 * n, b.scale[static_cast<size_t>(r)],
                      static_cast<size_t>(first + r));
    }
  });
}

// Row t of [q k v]: q stays a row, k and v are sorted by heads.
template <Arithmetic A, class T>
void Encoder::Lane::store_qkv(const Block& block, const typename Around<A>::Sum* sums, float scale,
                              size_t t) {
  using Path = Around<A>;
  const auto& s = w->shape;
  Path::store(k, sums, scale, block.qkv, 0, reinterpret_cast<T*>(q.data()) + t * static_cast<size_t>(s.state),
              s.state);
  for (int h = 0; h < s.heads; h++) {
    const int at = s.state + h * kHead;
    const size_t to = (static_cast<size_t>(h) * s.context + t) * kHead;
    Path::store(k, sums, scale, block.qkv, at, reinterpret_cast<T*>(keys.data()) + to, kHead);
    Path::store(k, sums, scale, block.qkv, at + s.state, reinterpret_cast<T*>(vals.data()) + to, kHead);
  }
}

template <class T>
void Encoder::Lane::attention_heads() {
  const auto& s = w->shape;
  const T* qs = reinterpret_cast<const T*>(q.data());
  const T* ks = reinterpret_cast<const T*>(keys.data());
  const T* vs = reinterpret_cast<const T*>(vals.data());
  each(s.heads, [&](Workspace& b, int h) {
    b.values.pack_columns(vs + static_cast<size_t>(h) * s.context * kHead,
                          packed_values.data() + static_cast<size_t>(h) * packed_values_bytes);
  });
  const int per_head = s.context / workspaces[0]->rows;
  each(s.heads * per_head, [&](Workspace& b, int i) {
    const int h = i / per_head, first = i % per_head * b.rows;
    float* scores = reinterpret_cast<float*>(b.acc.data());
    T* p = reinterpret_cast<T*>(b.probabilities.data());
    b.scores.run(qs + static_cast<size_t>(first) * s.state + h * kHead,
                 ks + static_cast<size_t>(h) * s.context * kHead, scores);
    for (int r = 0; r < b.rows; r++)
      b.scale.data()[r] = k.softmax(scores + static_cast<size_t>(r) * s.context,
                                    p + static_cast<size_t>(r) * s.context, s.context);
    float* o = attended.data() + static_cast<size_t>(first) * s.state + h * kHead;
    b.values.run(p, packed_values.data() + static_cast<size_t>(h) * packed_values_bytes, o);
    for (int r = 0; r < b.rows; r++)
      for (int j = 0; j < kHead; j++) o[static_cast<size_t>(r) * s.state + j] *= b.scale.data()[r];
  });
}

// Output projection and MLP, block by block, so that a block's rows stay in L2 between the three GEMMs.
template <Arithmetic A>
void Encoder::Lane::mlp(const Block& block) {
  using Path = Around<A>;
  const auto& s = w->shape;
  const auto n = static_cast<size_t>(s.state);
  blocks(s.context, [&](Workspace& b, int first) {
    float* xs = x.data() + static_cast<size_t>(first) * n;
    auto* in = reinterpret_cast<typename Path::Input*>(b.narrow.data());
    auto* hidden_in = reinterpret_cast<typename Path::Input*>(b.wide.data());
    const auto* sums = reinterpret_cast<const typename Path::Sum*>(b.acc.data());
    float* scale = b.scale.data();
    for (size_t r = 0; r < static_cast<size_t>(b.rows); r++)
      scale[r] = Path::take(k, attended.data() + (static_cast<size_t>(first) + r) * n, in + r * n, s.state);
    b.out.run(in, block.out.packed.data(), b.acc.data());
    for (size_t r = 0; r < static_cast<size_t>(b.rows); r++) {
      Path::add(k, sums + r * n, scale[r], block.out, xs + r * n, s.state);
      scale[r] = Path::norm(k, xs + r * n, block.mlp_norm, b.row.data(), in + r * n, s.state);
    }
    b.fc1.run(in, block.fc1.packed.data(), b.acc.data());
    for (size_t r = 0; r < static_cast<size_t>(b.rows); r++)
      scale[r] = Path::gelu(k, sums + r * 4 * n, scale[r], block.fc1, b.row.data(), hidden_in + r * 4 * n,
                            4 * s.state);
    b.fc2.run(hidden_in, block.fc2.packed.data(), b.acc.data());
    for (size_t r = 0; r < static_cast<size_t>(b.rows); r++)
      Path::add(k, sums + r * n, scale[r], block.fc2, xs + r * n, s.state);
  });
}

// before(workspace, row, values): fills the row's int8 values and returns its scale; after(workspace, row,
// sums, scale): takes the row's sums.
template <class Before, class After>
void Encoder::Lane::product_on_device(const LinearWeights& weights, Before before, After after) {
  gemm->begin(weights, w->shape.context);
  blocks(w->shape.context, [&](Workspace& b, int first) {
    auto* values = reinterpret_cast<int8_t*>(b.wide.data());
    for (int r = first; r < first + b.rows; r++) {
      row_scale[static_cast<size_t>(r)] = before(b, static_cast<size_t>(r), values);
      gemm->put(r, values);
    }
  });
  gemm->run();
  blocks(w->shape.context, [&](Workspace& b, int first) {
    for (int r = first; r < first + b.rows; r++)
      after(b, static_cast<size_t>(r), gemm->sums(r, b.acc.data()), row_scale[static_cast<size_t>(r)]);
  });
}

template <class T>
void Encoder::Lane::project_qkv_on_device(const Block& block) {
  using Path = Around<Arithmetic::kInt8>;
  const int state = w->shape.state;
  const auto n = static_cast<size_t>(state);
  product_on_device(
      block.qkv,
      [&](Workspace& b, size_t r, int8_t* values) {
        return Path::norm(k, x.data() + r * n, block.attention_norm, b.row.data(), values, state);
      },
      [&](Workspace&, size_t r, const int32_t* sums, float scale) {
        store_qkv<Arithmetic::kInt8, T>(block, sums, scale, r);
      });
}

void Encoder::Lane::mlp_on_device(const Block& block) {
  using Path = Around<Arithmetic::kInt8>;
  const int state = w->shape.state;
  const auto n = static_cast<size_t>(state);
  product_on_device(
      block.out,
      [&](Workspace&, size_t r, int8_t* values) {
        return Path::take(k, attended.data() + r * n, values, state);
      },
      [&](Workspace&, size_t r, const int32_t* sums, float scale) {
        Path::add(k, sums, scale, block.out, x.data() + r * n, state);
      });
  // GELU needs the whole row of fc1: its int8 row goes into the lane's own buffer until fc2 begins.
  product_on_device(
      block.fc1,
      [&](Workspace& b, size_t r, int8_t* values) {
        return Path::norm(k, x.data() + r * n, block.mlp_norm, b.row.data(), values, state);
      },
      [&](Workspace& b, size_t r, const int32_t* sums, float scale) {
        row_scale[r] =
            Path::gelu(k, sums, scale, block.fc1, b.row.data(), mlp_hidden.data() + r * 4 * n, 4 * state);
      });
  product_on_device(
      block.fc2,
      [&](Workspace&, size_t r, int8_t* values) {
        std::memcpy(values, mlp_hidden.data() + r * 4 * n, 4 * n);
        return row_scale[r];
      },
      [&](Workspace&, size_t r, const int32_t* sums, float scale) {
        Path::add(k, sums, scale, block.fc2, x.data() + r * n, state);
      });
}

template <Arithmetic A, class T>
void Encoder::Lane::encode(const float* mel, int64_t stride, float* states, float* outputs) {
  const auto& s = w->shape;
  const auto n = static_cast<size_t>(s.context) * s.state;
  convolve<T>(mel, stride);
  const WindowPart on_device(A == Arithmetic::kInt8 ? gemm : nullptr, GemmLane::Part::kEncoder);
  for (const auto& block : w->blocks) {
    if (on_device)
      project_qkv_on_device<T>(block);
    else
      project_qkv<A, T>(block);
    attention_heads<T>();
    if (on_device)
      mlp_on_device(block);
    else
      mlp<A>(block);
    if (outputs) {
      std::memcpy(outputs, x.data(), n * sizeof(float));
      outputs += n;
    }
  }
  blocks(s.context, [&](Workspace& b, int first) {
    for (int r = first; r < first + b.rows; r++)
      k.layer_norm(x.data() + static_cast<size_t>(r) * s.state, w->final_norm.gamma.data(),
                   w->final_norm.beta.data(), states + static_cast<size_t>(r) * s.state, s.state);
  });
}

Encoder::Encoder(std::shared_ptr<const EncoderWeights> weights, int threads, GemmLane* gemm)
    : lane_(std::make_unique<Lane>(std::move(weights), threads, gemm)) {}
Encoder::~Encoder() = default;

void Encoder::encode(const float* mel, int64_t row_stride, float* states, float* block_outputs) {
  if (lane_->w->arithmetic == Arithmetic::kF32)
    lane_->encode<Arithmetic::kF32, float>(mel, row_stride, states, block_outputs);
  else if (lane_->w->half)
    lane_->encode<Arithmetic::kInt8, uint16_t>(mel, row_stride, states, block_outputs);
  else
    lane_->encode<Arithmetic::kInt8, float>(mel, row_stride, states, block_outputs);
}
}  // namespace amanuensis
