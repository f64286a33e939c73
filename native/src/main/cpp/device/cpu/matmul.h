// Matmuls on oneDNN with packed weights, run by one thread at a time.
#pragma once
#include <cstdint>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>

namespace amanuensis {

struct ExactGemm;

/// The process's one CPU engine of oneDNN.
const dnnl::engine& dnnl_cpu();
/// Whether oneDNN's int8 kernels are exact here: without VNNI they saturate pairs of products in int16.
bool dnnl_int8_is_exact();
/// Whether bf16 matmuls beat f32's: on AMX. vdpbf16ps alone takes two cycles on Sapphire Rapids, half the
/// rate of f32.
bool bf16_is_fast();
/// Whether our own kernels for AMX run here: it may be missing from the machine or from the build, limited
/// away (ONEDNN_MAX_CPU_ISA), or refused by the kernel.
bool amx_is_usable();
/// Whether int16 products can be summed by vpdpwssd (AVX-512 VNNI).
bool avx512_vnni_is_native();
/// The same for 256-bit registers (AVX-VNNI), of processors without AVX-512.
bool avx_vnni_is_native();
/// What oneDNN uses here, for example "avx512_core_bf16".
std::string dnnl_isa_name();
/// Threads of an OpenMP team that the calling thread starts from now on.
void use_threads(int threads);
/// Rows per block for encoder GEMMs: fits L2 beside the weights, and fills AMX tiles where they exist.
int encoder_block_rows();
/// With our own kernels a window's last block may have any multiple of this many rows: a tile of
/// exact_gemm_vnni, and a multiple of exact_gemm_avx2's. It divides the rows of a whole window.
constexpr int kEncoderRowStep = 12;

/// c[m x n] = a[m x k] * b[k x n]; m is fixed, rows of a and c may be strided. One object per thread: the
/// scratchpad is inside. int8 sums are exact on every machine. Long f32 sums run in stretches of k, which
/// halves their rounding error.
class Matmul {
 public:
  using Type = dnnl::memory::data_type;
  enum class Layout {
    kPacked,    // b in the layout this kernel likes best
    kPlainRows  // b as n rows of k
  };
  /// lda, ldc in elements.
  Matmul(Type a, Type b, Type c, int64_t m, int64_t k, int64_t n, int64_t lda, int64_t ldc,
         Layout layout = Layout::kPacked);
  /// The same product for m rows, over weights that `like` packed.
  Matmul(const Matmul& like, int64_t m);
  /// rows: how many of the m rows of c are wanted; the others are left alone or worthless.
  void run(const void* a, const void* b, void* c, int64_t rows);
  void run(const void* a, const void* b, void* c) { run(a, b, c, m_); }
  size_t packed_bytes() const;
  /// b given as n rows of k (a weight matrix, out x in) or as k rows of n.
  void pack_rows(const void* rows, void* packed);
  void pack_columns(const void* columns, void* packed);
  const std::string& implementation() const { return implementation_; }
  int64_t rows() const { return m_; }

 private:
  void create(const dnnl::memory::desc& b);
  void pack(const void* from, const dnnl::memory::dims& strides, void* packed);
  Type a_type_, b_type_, c_type_;
  int64_t m_, k_, n_, lda_, ldc_;
  const ExactGemm* own_ = nullptr;  // our int8 kernel, where oneDNN's saturates or is slower
  int64_t parts_ = 1;               // stretches of k
  std::string implementation_;
  dnnl::stream stream_;
  dnnl::matmul primitive_, adding_;  // adding_: c += a * b, for the stretches after the first
  dnnl::memory a_, b_, c_;
};
}  // namespace amanuensis
