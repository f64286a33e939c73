#include "device/cpu/linear.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <stdexcept>

namespace amanuensis {

namespace {
using Type = Matmul::Type;
constexpr int kInt8Blocks[] = {1, 2, 4, 8, 16, 32, 64};

Type input_type(Arithmetic a) { return a == Arithmetic::kInt8 ? Type::s8 : Type::f32; }
Type output_type(Arithmetic a) { return a == Arithmetic::kInt8 ? Type::s32 : Type::f32; }

Matmul make_matmul(Arithmetic a, int64_t rows, int64_t k, int64_t n) {
  return Matmul(input_type(a), input_type(a), output_type(a), rows, k, n, k, n);
}
}  // namespace

LinearWeights pack_linear(Arithmetic arithmetic, const std::vector<float>& weight,
                          const std::vector<float>& bias, int64_t k, int64_t rows_per_block,
                          bool keep_plain) {
  LinearWeights w;
  w.arithmetic = arithmetic;
  w.k = k;
  w.n = static_cast<int64_t>(weight.size()) / k;
  w.bias = AlignedArray<float>(bias.empty() ? std::vector<float>(static_cast<size_t>(w.n)) : bias);
  Matmul shape = make_matmul(arithmetic, rows_per_block, k, w.n);
  w.packed = AlignedArray<uint8_t>(shape.packed_bytes());
  if (arithmetic == Arithmetic::kF32) {
    shape.pack_rows(weight.data(), w.packed.data());
    return w;
  }
  w.scale = AlignedArray<float>(static_cast<size_t>(w.n));
  w.sums = AlignedArray<float>(static_cast<size_t>(w.n));
  AlignedArray<int8_t> rows(weight.size());
  for (int64_t o = 0; o < w.n; o++) {
    const float* row = weight.data() + o * k;
    float m = 0;
    for (int64_t i = 0; i < k; i++) m = std::max(m, std::fabs(row[i]));
    const float inv = m > 0 ? 127.0f / m : 0.0f;
    int64_t sum = 0;
    for (int64_t i = 0; i < k; i++) {
      const long q = std::lrintf(row[i] * inv);
      rows[static_cast<size_t>(o * k + i)] = static_cast<int8_t>(q);
      sum += q;
    }
    w.scale[static_cast<size_t>(o)] = m / 127.0f;
    w.sums[static_cast<size_t>(o)] = static_cast<float>(sum) * (m / 127.0f);
  }
  shape.pack_rows(rows.data(), w.packed.data());
  if (keep_plain) {
    static std::atomic<uint64_t> last{0};
    w.id = ++last;
    w.plain = std::move(rows);
  }
  return w;
}

LinearRunner::LinearRunner(Arithmetic arithmetic, int64_t k, int64_t n, int max_rows)
    : arithmetic_(arithmetic), k_(k), n_(n), kernels_(row_kernels()) {
  if (arithmetic == Arithmetic::kF32) {
    matmuls_.push_back(std::make_unique<Matmul>(make_matmul(arithmetic, kRunnerRows, k, n)));
  } else {
    const Matmul packed = make_matmul(arithmetic, kRunnerRows, k, n);  // the shape that pack_linear used
    for (int rows : kInt8Blocks) {
      matmuls_.push_back(std::make_unique<Matmul>(packed, rows));
      if (rows >= max_rows) break;
    }
  }
  const auto block = static_cast<size_t>(matmuls_.back()->rows());
  input_ = AlignedArray<uint8_t>(block * static_cast<size_t>(k) * (arithmetic == Arithmetic::kInt8 ? 1 : 4));
  scale_ = AlignedArray<float>(block);
  acc_ = AlignedArray<uint8_t>(block * static_cast<size_t>(n) * 4);
}

Matmul& LinearRunner::matmul_for(int rows) {
  for (auto& m : matmuls_)
    if (m->rows() >= rows) return *m;
  return *matmuls_.back();
}

template <class Epilogue>
void LinearRunner::blocks(const LinearWeights& w, const float* x, int rows, Epilogue epilogue) {
  if (w.arithmetic != arithmetic_ || w.k != k_ || w.n != n_)
    throw std::logic_error("linear of another shape");
  for (int first = 0; first < rows;) {
    Matmul& matmul = matmul_for(rows - first);
    const int block = static_cast<int>(matmul.rows());
    const int here = std::min(block, rows - first);
    const float* from = x + first * k_;
    if (arithmetic_ == Arithmetic::kInt8) {
      auto* q = reinterpret_cast<int8_t*>(input_.data());
      for (int r = 0; r < here; r++)
        scale_[static_cast<size_t>(r)] = kernels_.quantise(from + r * k_, q + r * k_, static_cast<int>(k_));
      matmul.run(q, w.packed.data(), acc_.data());  // rows beyond `here` are left-overs that nobody reads
    } else if (here == block) {
      matmul.run(from, w.packed.data(), acc_.data());
    } else {
      std::memset(input_.data(), 0, input_.size());
      std::memcpy(input_.data(), from, sizeof(float) * static_cast<size_t>(here * k_));
      matmul.run(input_.data(), w.packed.data(), acc_.data());
    }
    for (int r = 0; r < here; r++)
      epilogue(acc_.data() + static_cast<size_t>(r * n_) * 4, scale_[static_cast<size_t>(r)], first + r);
    first += here;
  }
}

void LinearRunner::run(const LinearWeights& w, const float* x, int rows, float* y) {
  const int n = static_cast<int>(n_);
  blocks(w, x, rows, [&](const uint8_t* acc, float scale, int row) {
    if (arithmetic_ == Arithmetic::kInt8)
      kernels_.dequantise_f32(reinterpret_cast<const int32_t*>(acc), scale, w.scale.data(), w.bias.data(),
                              y + row * n_, n);
    else
      kernels_.bias_f32(reinterpret_cast<const float*>(acc), w.bias.data(), y + row * n_, n);
  });
}

void LinearRunner::run_add(const LinearWeights& w, const float* x, int rows, float* y) {
  const int n = static_cast<int>(n_);
  blocks(w, x, rows, [&](const uint8_t* acc, float scale, int row) {
    if (arithmetic_ == Arithmetic::kInt8)
      kernels_.dequantise_add(reinterpret_cast<const int32_t*>(acc), scale, w.scale.data(), w.bias.data(),
                              y + row * n_, n);
    else
      kernels_.bias_add(reinterpret_cast<const float*>(acc), w.bias.data(), y + row * n_, n);
  });
}

void LinearRunner::run_gelu(const LinearWeights& w, const float* x, int rows, float* y) {
  const int n = static_cast<int>(n_);
  blocks(w, x, rows, [&](const uint8_t* acc, float scale, int row) {
    float* to = y + row * n_;
    if (arithmetic_ == Arithmetic::kInt8) {
      kernels_.dequantise_f32(reinterpret_cast<const int32_t*>(acc), scale, w.scale.data(), w.bias.data(), to,
                              n);
      kernels_.gelu_f32(to, to, n);
    } else {
      kernels_.bias_gelu_f32(reinterpret_cast<const float*>(acc), w.bias.data(), to, n);
    }
  });
}

}  // namespace amanuensis
