#include "encoder/encoder.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "device/cpu/kernels.h"
#include "device/cpu/linear.h"
#include "device/cpu/matmul.h"
#include "device/cpu/memory.h"
#include "device/cpu/product_time.h"
#include "encoder/attention.h"
#include "encoder/encoder_team.h"
#include "encoder/encoder_weights.h"
#include "encoder/gemm_steps.h"

namespace amanuensis {

namespace {
constexpr int kHead = 64;
// A row that stands for several positions has this much of their mean beside its own position: waves shorter
// than the group weigh less. Chosen by the encoder's error on speech (docs/speed.md).
constexpr float kMeanShare = 0.3f;

// Adds the time since the last call to a part.
class StageClock {
 public:
  void add_to(EncoderTime& part) {
    const auto now = std::chrono::steady_clock::now();
    const int64_t products = product_time(ProductsOf::kEncoder);
    part.seconds += std::chrono::duration<double>(now - last_).count();
    part.products += static_cast<double>(products - products_) / 1e9;
    last_ = now;
    products_ = products;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
  int64_t products_ = product_time(ProductsOf::kEncoder);
};
}  // namespace

struct Encoder::Lane {
  Lane(std::shared_ptr<const EncoderWeights> weights, std::shared_ptr<EncoderHelpers> helpers,
       GemmLane* device)
      : w(std::move(weights)),
        k(row_kernels()),
        gemm(device),
        block(encoder_block_rows()),
        multiple(w->attention != AttentionKind::kF32 ? kEncoderRowStep : block),
        team(*w, block, std::move(helpers)),
        attention(w->attention, w->shape.context, w->shape.heads, block) {
    const auto& s = w->shape;
    const auto cs = static_cast<size_t>(s.context) * s.state;
    hidden = AlignedArray<float>((static_cast<size_t>(s.context) * 2 + 2) * s.state);
    x = AlignedArray<float>(cs);
    attended = AlignedArray<float>(cs);
    if (gemm == nullptr) return;
    row_scale = AlignedArray<float>(static_cast<size_t>(s.context));
    row_shift = AlignedArray<float>(static_cast<size_t>(s.context));
    mlp_hidden = AlignedArray<int8_t>(cs * 4);
  }

  std::shared_ptr<const EncoderWeights> w;
  const RowKernels& k;
  GemmLane* gemm;  // null: no device
  int block;
  int multiple;  // a window's rows are a multiple of this
  EncoderTeam team;
  SelfAttention attention;
  KeptRows kept;
  EncoderTimes times;
  AlignedArray<float> hidden;    // between the convolutions: (2 context + 2) x state, zeros at both ends
  AlignedArray<float> x;         // the residual stream, rows x state
  AlignedArray<float> attended;  // rows x state
  AlignedArray<float> row_scale, row_shift;  // context: of the rows that are with the device
  AlignedArray<int8_t> mlp_hidden;           // context x 4 state, between fc1 and fc2 on the device

  /// work(workspace, first row, rows) for every block of rows; the last one may have fewer.
  template <class F>
  void blocks(int rows, F work) {
    team.each((rows + block - 1) / block,
              [&](Workspace& b, int i) { work(b, i * block, std::min(block, rows - i * block)); });
  }
  template <Arithmetic A>
  void encode(const float* mel, int64_t stride, float* states, float* outputs);
  void convolve(const float* mel, int64_t stride);
  template <class T>
  void first_convolution(const float* mel, int64_t stride, int rows);
  template <Arithmetic A>
  void second_convolution(int rows);
  void repeat_padding();
  template <Arithmetic A>
  void project_qkv(const Block& weights);
  template <Arithmetic A>
  void mlp(const Block& weights);
  /// The same as project_qkv and mlp, with the products of all rows at once on the device.
  void project_qkv_on_device(const Block& weights);
  void mlp_on_device(const Block& weights);
  template <class Before, class After>
  void product_on_device(const LinearWeights& weights, Before before, After after);
  template <Arithmetic A>
  void store_qkv(const Block& weights, const typename GemmSteps<A>::Sum* sums, float scale, int row);
};

namespace {
inline void store(uint16_t& to, float v) { to = to_bf16(v); }
inline void store(float& to, float v) { to = v; }
}  // namespace

// Rows [0, dense) and, where there is padding, one more that is the same for all of it.
void Encoder::Lane::convolve(const float* mel, int64_t stride) {
  const int rows = std::min(w->shape.context, kept.dense() + 1);
  const int hidden_rows = std::min(2 * w->shape.context, 2 * rows + 1);
  w->half ? first_convolution<uint16_t>(mel, stride, hidden_rows)
          : first_convolution<float>(mel, stride, hidden_rows);
  w->conv2.arithmetic == Arithmetic::kInt8 ? second_convolution<Arithmetic::kInt8>(rows)
                                           : second_convolution<Arithmetic::kF32>(rows);
}

// Three frames beside each other, gathered from the mel where it lies: no transposed copy of the window.
template <class T>
void Encoder::Lane::first_convolution(const float* mel, int64_t stride, int rows) {
  const auto& s = w->shape;
  const int frames = s.context * 2;
  std::memset(hidden.data(), 0, sizeof(float) * s.state);
  std::memset(hidden.data() + static_cast<size_t>(frames + 1) * s.state, 0, sizeof(float) * s.state);
  blocks(rows, [&](Workspace& b, int first, int count) {
    T* patch = reinterpret_cast<T*>(b.patch.data());
    for (int m = 0; m < s.mels; m++) {
      const float* row = mel + m * stride;
      for (int r = 0; r < count; r++)
        for (int tap = 0; tap < 3; tap++) {
          const int t = first + r + tap - 1;
          store(patch[(static_cast<size_t>(r) * 3 + tap) * s.mels + m], t < 0 || t >= frames ? 0.0f : row[t]);
        }
    }
    float* y = reinterpret_cast<float*>(b.acc.data());
    b.conv1.run(patch, w->conv1.packed.data(), y, count);
    for (int r = 0; r < count; r++)
      k.bias_gelu_f32(y + static_cast<size_t>(r) * s.state, w->conv1.bias.data(),
                      hidden.data() + static_cast<size_t>(first + r + 1) * s.state, s.state);
  });
}

// Every second of the frames, three in a row each.
template <Arithmetic A>
void Encoder::Lane::second_convolution(int rows) {
  using Path = GemmSteps<A>;
  const auto n = static_cast<size_t>(w->shape.state);
  const int state = w->shape.state;
  blocks(rows, [&](Workspace& b, int first, int count) {
    auto* in = reinterpret_cast<typename Path::Input*>(b.wide.data());
    const auto* sums = reinterpret_cast<const typename Path::Sum*>(b.acc.data());
    for (size_t r = 0; r < static_cast<size_t>(count); r++)
      b.scale[r] = Path::take_range(k, hidden.data() + (static_cast<size_t>(first) + r) * 2 * n,
                                    in + r * 3 * n, 3 * state, b.shift[r]);
    b.conv2.run(in, w->conv2.packed.data(), b.acc.data(), count);
    for (size_t r = 0; r < static_cast<size_t>(count); r++) {
      const size_t row = static_cast<size_t>(first) + r;
      float* to = x.data() + row * n;
      const float* bias = Path::bias(k, w->conv2, b.scale[r], b.shift[r], b.row.data());
      Path::store(k, sums + r * Workspace::apart(state), b.scale[r], w->conv2, bias, 0, to, state);
      k.gelu_f32(to, to, state);
      if (static_cast<int>(row) >= kept.dense()) continue;
      for (size_t i = 0; i < n; i++) to[i] += w->positions.data()[row * n + i];
    }
  });
}

// The row after the dense ones, at the position of every row that stands for padding.
void Encoder::Lane::repeat_padding() {
  const auto n = static_cast<size_t>(w->shape.state);
  // Last the row that is repeated.
  for (int r = kept.rows() - 1; r >= kept.dense(); r--) {
    const float* same = x.data() + static_cast<size_t>(kept.dense()) * n;
    float* to = x.data() + static_cast<size_t>(r) * n;
    const float* own = w->positions.data() + static_cast<size_t>(kept.position(r)) * n;
    for (size_t i = 0; i < n; i++) to[i] = same[i] + (1 - kMeanShare) * own[i];
    const float share = kMeanShare / static_cast<float>(kept.weight(r));
    for (int p = kept.first(r); p < kept.first(r) + kept.weight(r); p++) {
      const float* position = w->positions.data() + static_cast<size_t>(p) * n;
      for (size_t i = 0; i < n; i++) to[i] += share * position[i];
    }
  }
}

template <Arithmetic A>
void Encoder::Lane::project_qkv(const Block& weights) {
  using Path = GemmSteps<A>;
  const auto& s = w->shape;
  const auto n = static_cast<size_t>(s.state);
  blocks(kept.rows(), [&](Workspace& b, int first, int count) {
    auto* in = reinterpret_cast<typename Path::Input*>(b.narrow.data());
    const auto* sums = reinterpret_cast<const typename Path::Sum*>(b.acc.data());
    for (int r = 0; r < count; r++)
      b.scale[static_cast<size_t>(r)] =
          Path::norm(k, x.data() + static_cast<size_t>(first + r) * n, weights.attention_norm, b.row.data(),
                     in + static_cast<size_t>(r) * n, s.state);
    b.qkv.run(in, weights.qkv.packed.data(), b.acc.data(), count);
    for (int r = 0; r < count; r++)
      store_qkv<A>(weights, sums + static_cast<size_t>(r) * Workspace::apart(3 * s.state),
                   b.scale[static_cast<size_t>(r)], first + r);
  });
}

// A row of [q k v], sorted by heads.
template <Arithmetic A>
void Encoder::Lane::store_qkv(const Block& weights, const typename GemmSteps<A>::Sum* sums, float scale,
                              int row) {
  using Path = GemmSteps<A>;
  const auto& s = w->shape;
  const auto part = [&](int at, float* to) {
    Path::store(k, sums, scale, weights.qkv, weights.qkv.bias.data(), at, to, kHead);
  };
  for (int h = 0; h < s.heads; h++) {
    part(h * kHead, attention.query(h, row));
    part(s.state + h * kHead, attention.key(h, row));
    part(2 * s.state + h * kHead, attention.value(h, row));
  }
}

// Output projection and MLP, block by block, so that a block's rows stay in L2 between the three GEMMs.
template <Arithmetic A>
void Encoder::Lane::mlp(const Block& weights) {
  using Path = GemmSteps<A>;
  const auto& s = w->shape;
  const auto n = static_cast<size_t>(s.state), apart = Workspace::apart(s.state),
             far = Workspace::apart(4 * s.state);
  blocks(kept.rows(), [&](Workspace& b, int first, int count) {
    float* xs = x.data() + static_cast<size_t>(first) * n;
    auto* in = reinterpret_cast<typename Path::Input*>(b.narrow.data());
    auto* hidden_in = reinterpret_cast<typename Path::Input*>(b.wide.data());
    const auto* sums = reinterpret_cast<const typename Path::Sum*>(b.acc.data());
    float* scale = b.scale.data();
    for (size_t r = 0; r < static_cast<size_t>(count); r++)
      scale[r] = Path::take(k, attended.data() + (static_cast<size_t>(first) + r) * n, in + r * n, s.state);
    b.out.run(in, weights.out.packed.data(), b.acc.data(), count);
    for (size_t r = 0; r < static_cast<size_t>(count); r++) {
      Path::add(k, sums + r * apart, scale[r], weights.out, weights.out.bias.data(), xs + r * n, s.state);
      scale[r] = Path::norm(k, xs + r * n, weights.mlp_norm, b.row.data(), in + r * n, s.state);
    }
    b.fc1.run(in, weights.fc1.packed.data(), b.acc.data(), count);
    for (size_t r = 0; r < static_cast<size_t>(count); r++)
      scale[r] = Path::gelu(k, sums + r * far, scale[r], weights.fc1, b.row.data(), hidden_in + r * far,
                            4 * s.state, b.shift[r]);
    b.fc2.run(hidden_in, weights.fc2.packed.data(), b.acc.data(), count);
    for (size_t r = 0; r < static_cast<size_t>(count); r++)
      Path::add(k, sums + r * apart, scale[r], weights.fc2,
                Path::bias(k, weights.fc2, scale[r], b.shift[r], b.row.data()), xs + r * n, s.state);
  });
}

// before(workspace, row, values): fills the row's int8 values and returns its scale; after(workspace, row,
// sums, scale): takes the row's sums.
template <class Before, class After>
void Encoder::Lane::product_on_device(const LinearWeights& weights, Before before, After after) {
  gemm->begin(weights, kept.rows());
  blocks(kept.rows(), [&](Workspace& b, int first, int count) {
    auto* values = reinterpret_cast<int8_t*>(b.wide.data());
    for (int r = first; r < first + count; r++) {
      row_scale[static_cast<size_t>(r)] = before(b, static_cast<size_t>(r), values);
      gemm->put(r, values);
    }
  });
  gemm->run();
  blocks(kept.rows(), [&](Workspace& b, int first, int count) {
    for (int r = first; r < first + count; r++)
      after(b, static_cast<size_t>(r), gemm->sums(r, b.acc.data()), row_scale[static_cast<size_t>(r)]);
  });
  gemm->finish();
}

void Encoder::Lane::project_qkv_on_device(const Block& weights) {
  using Path = GemmSteps<Arithmetic::kInt8>;
  const int state = w->shape.state;
  const auto n = static_cast<size_t>(state);
  product_on_device(
      weights.qkv,
      [&](Workspace& b, size_t r, int8_t* values) {
        return Path::norm(k, x.data() + r * n, weights.attention_norm, b.row.data(), values, state);
      },
      [&](Workspace&, size_t r, const int32_t* sums, float scale) {
        store_qkv<Arithmetic::kInt8>(weights, sums, scale, static_cast<int>(r));
      });
}

void Encoder::Lane::mlp_on_device(const Block& weights) {
  using Path = GemmSteps<Arithmetic::kInt8>;
  const int state = w->shape.state;
  const auto n = static_cast<size_t>(state);
  product_on_device(
      weights.out,
      [&](Workspace&, size_t r, int8_t* values) {
        return Path::take(k, attended.data() + r * n, values, state);
      },
      [&](Workspace&, size_t r, const int32_t* sums, float scale) {
        Path::add(k, sums, scale, weights.out, weights.out.bias.data(), x.data() + r * n, state);
      });
  // GELU needs the whole row of fc1: its int8 row goes into the lane's own buffer until fc2 begins.
  product_on_device(
      weights.fc1,
      [&](Workspace& b, size_t r, int8_t* values) {
        return Path::norm(k, x.data() + r * n, weights.mlp_norm, b.row.data(), values, state);
      },
      [&](Workspace& b, size_t r, const int32_t* sums, float scale) {
        row_scale[r] = Path::gelu(k, sums, scale, weights.fc1, b.row.data(), mlp_hidden.data() + r * 4 * n,
                                  4 * state, row_shift[r]);
      });
  product_on_device(
      weights.fc2,
      [&](Workspace&, size_t r, int8_t* values) {
        std::memcpy(values, mlp_hidden.data() + r * 4 * n, 4 * n);
        return row_scale[r];
      },
      [&](Workspace& b, size_t r, const int32_t* sums, float scale) {
        Path::add(k, sums, scale, weights.fc2, Path::bias(k, weights.fc2, scale, row_shift[r], b.row.data()),
                  x.data() + r * n, state);
      });
}

template <Arithmetic A>
void Encoder::Lane::encode(const float* mel, int64_t stride, float* states, float* outputs) {
  const auto& s = w->shape;
  const auto n = static_cast<size_t>(kept.rows()) * s.state;
  times = {};
  StageClock clock;
  convolve(mel, stride);
  repeat_padding();
  clock.add_to(times.convolutions);
  attention.begin(kept);
  const WindowPart on_device(A == Arithmetic::kInt8 ? gemm : nullptr, GemmLane::Part::kEncoder);
  for (const auto& weights : w->blocks) {
    if (on_device)
      project_qkv_on_device(weights);
    else
      project_qkv<A>(weights);
    clock.add_to(times.qkv);
    attention.run(
        [&](int count, const auto& work) {
          team.each(count, [&](Workspace& b, int i) { work(b.attention, i); });
        },
        attended.data());
    clock.add_to(times.attention);
    if (on_device)
      mlp_on_device(weights);
    else
      mlp<A>(weights);
    clock.add_to(times.mlp);
    if (outputs) {
      std::memcpy(outputs, x.data(), n * sizeof(float));
      outputs += n;
    }
  }
  blocks(kept.rows(), [&](Workspace&, int first, int count) {
    for (int r = first; r < first + count; r++)
      k.layer_norm(x.data() + static_cast<size_t>(r) * s.state, w->final_norm.gamma.data(),
                   w->final_norm.beta.data(), states + static_cast<size_t>(r) * s.state, s.state);
  });
  clock.add_to(times.final_norm);
}

std::shared_ptr<EncoderHelpers> encoder_helpers(const EncoderWeights& weights, IdleCores& cores) {
  return std::make_shared<EncoderHelpers>(weights, encoder_block_rows(), cores);
}

Encoder::Encoder(std::shared_ptr<const EncoderWeights> weights, std::shared_ptr<EncoderHelpers> helpers,
                 GemmLane* gemm)
    : lane_(std::make_unique<Lane>(std::move(weights), std::move(helpers), gemm)) {}
Encoder::~Encoder() = default;

const EncoderTimes& Encoder::times() const { return lane_->times; }

KeptRows Encoder::rows(int content_frames) const {
  return kept_rows(lane_->w->padding, lane_->w->shape.context, content_frames, lane_->multiple);
}

void Encoder::encode(const float* mel, int64_t row_stride, int content_frames, float* states,
                     float* block_outputs) {
  use_threads(1);  // oneDNN's calls stay on the thread that makes them
  lane_->kept = rows(content_frames);
  if (lane_->w->arithmetic == Arithmetic::kF32)
    lane_->encode<Arithmetic::kF32>(mel, row_stride, states, block_outputs);
  else
    lane_->encode<Arithmetic::kInt8>(mel, row_stride, states, block_outputs);
}
}  // namespace amanuensis
