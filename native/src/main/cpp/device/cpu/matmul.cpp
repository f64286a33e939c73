#include "device/cpu/matmul.h"

#include <omp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device/cpu/amx_attention.h"
#include "device/cpu/exact_gemm.h"
#include "device/cpu/kernels.h"
#include "device/cpu/product_time.h"

namespace amanuensis {

using dnnl::memory;

const dnnl::engine& dnnl_cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

namespace {
dnnl::cpu_isa isa() {
  static const dnnl::cpu_isa value = dnnl::get_effective_cpu_isa();
  return value;
}
// cpu_isa values are bit sets in which a wider ISA contains the narrower one.
bool has(dnnl::cpu_isa wanted) {
  const auto bits = static_cast<unsigned>(wanted);
  return (static_cast<unsigned>(isa()) & bits) == bits;
}
}  // namespace

bool dnnl_int8_is_exact() { return has(dnnl::cpu_isa::avx512_core_vnni) || has(dnnl::cpu_isa::avx2_vnni); }
bool bf16_is_fast() { return has(dnnl::cpu_isa::avx512_core_amx); }
bool amx_is_usable() {
  // Linux wants to be asked before a process's first tile (Documentation/arch/x86/xstate.rst).
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  static const bool usable = has(dnnl::cpu_isa::avx512_core_amx) && __builtin_cpu_supports("avx512vbmi") &&
                             amx_attention_kernel() != nullptr && exact_gemm_amx() != nullptr &&
                             syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return usable;
}
bool avx512_vnni_is_native() { return has(dnnl::cpu_isa::avx512_core_vnni); }
bool avx_vnni_is_native() { return has(dnnl::cpu_isa::avx2_vnni); }
std::string dnnl_isa_name() {
  using dnnl::cpu_isa;
  static const std::pair<cpu_isa, const char*> kNames[] = {{cpu_isa::avx512_core_amx, "avx512_core_amx"},
                                                           {cpu_isa::avx512_core_bf16, "avx512_core_bf16"},
                                                           {cpu_isa::avx512_core_vnni, "avx512_core_vnni"},
                                                           {cpu_isa::avx512_core, "avx512_core"},
                                                           {cpu_isa::avx2_vnni, "avx2_vnni"},
                                                           {cpu_isa::avx2, "avx2"}};
  for (const auto& [value, name] : kNames)
    if (has(value)) return name;
  return "sse41";
}
void use_threads(int threads) { omp_set_num_threads(threads); }
int encoder_block_rows() { return has(dnnl::cpu_isa::avx512_core_amx) ? 125 : 60; }

namespace {
constexpr int64_t kLongestSum = 384;

int64_t parts_of(Matmul::Type type, int64_t k) {
  int64_t parts = 1;
  if (type == Matmul::Type::f32)
    while (k / parts > kLongestSum || k % parts != 0) parts++;
  return parts;
}

const ExactGemm* own_int8() {
  if (amx_is_usable()) return exact_gemm_amx();
  if (avx512_vnni_is_native()) return &exact_gemm_vnni();
  if (avx_vnni_is_native()) return exact_gemm_avx_vnni();
  return &row_kernels() != &row_kernels_generic() ? &exact_gemm_avx2() : &exact_gemm_generic();
}

size_t size_of(Matmul::Type type) { return memory::data_type_size(type); }
const void* offset(const void* p, int64_t elements, Matmul::Type type) {
  return static_cast<const char*>(p) + elements * static_cast<int64_t>(size_of(type));
}
}  // namespace

Matmul::Matmul(Type a, Type b, Type c, int64_t m, int64_t k, int64_t n, int64_t lda, int64_t ldc,
               Layout layout)
    : a_type_(a), b_type_(b), c_type_(c), m_(m), k_(k), n_(n), lda_(lda), ldc_(ldc), stream_(dnnl_cpu()) {
  using Tag = memory::format_tag;
  if (layout == Layout::kPacked) parts_ = parts_of(a, k);
  create(memory::desc({k_ / parts_, n}, b, layout == Layout::kPlainRows ? Tag::ba : Tag::any));
}

Matmul::Matmul(const Matmul& like, int64_t m)
    : a_type_(like.a_type_),
      b_type_(like.b_type_),
      c_type_(like.c_type_),
      m_(m),
      k_(like.k_),
      n_(like.n_),
      lda_(like.lda_),
      ldc_(like.ldc_),
      parts_(like.parts_),
      stream_(dnnl_cpu()) {
  create(like.own_ ? memory::desc() : like.b_.get_desc());
}

void Matmul::create(const memory::desc& b) {
  if (a_type_ == Type::s8) own_ = own_int8();
  if (own_) {
    implementation_ = std::string("exact int8, ") + own_->isa;
    return;
  }
  const memory::desc a({m_, k_ / parts_}, a_type_, memory::dims{lda_, 1});
  const memory::desc c({m_, n_}, c_type_, memory::dims{ldc_, 1});
  const dnnl::matmul::primitive_desc pd(dnnl_cpu(), a, b, c);
  implementation_ = pd.impl_info_str();
  primitive_ = dnnl::matmul(pd);
  a_ = memory(a, dnnl_cpu(), nullptr);
  b_ = memory(pd.weights_desc(), dnnl_cpu(), nullptr);
  c_ = memory(c, dnnl_cpu(), nullptr);
  if (parts_ == 1) return;
  dnnl::post_ops sum;
  sum.append_sum(1.0f);
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(sum);
  adding_ = dnnl::matmul(dnnl::matmul::primitive_desc(dnnl_cpu(), a, pd.weights_desc(), c, attributes));
}

size_t Matmul::packed_bytes() const {
  return own_ ? own_->packed_bytes(k_, n_) : b_.get_desc().get_size() * static_cast<size_t>(parts_);
}

void Matmul::run(const void* a, const void* b, void* c, int64_t rows) {
  const ProductTimer timer(ProductsOf::kEncoder);
  if (own_)
    return own_->run(static_cast<const int8_t*>(a), lda_, b, static_cast<int32_t*>(c), ldc_, rows, k_, n_);
  c_.set_data_handle(c);
  for (int64_t part = 0; part < parts_; part++) {
    a_.set_data_handle(const_cast<void*>(offset(a, part * (k_ / parts_), a_type_)));
    b_.set_data_handle(static_cast<char*>(const_cast<void*>(b)) +
                       static_cast<size_t>(part) * b_.get_desc().get_size());
    (part == 0 ? primitive_ : adding_)
        .execute(stream_, {{DNNL_ARG_SRC, a_}, {DNNL_ARG_WEIGHTS, b_}, {DNNL_ARG_DST, c_}});
  }
}

void Matmul::pack(const void* from, const memory::dims& strides, void* packed) {
  const int64_t k = k_ / parts_;
  for (int64_t part = 0; part < parts_; part++) {
    memory source(memory::desc({k, n_}, b_type_, strides), dnnl_cpu(),
                  const_cast<void*>(offset(from, part * k * strides[0], b_type_)));
    b_.set_data_handle(static_cast<char*>(packed) + static_cast<size_t>(part) * b_.get_desc().get_size());
    dnnl::reorder(source, b_).execute(stream_, source, b_);
  }
  stream_.wait();
}
void Matmul::pack_rows(const void* rows, void* packed) {
  if (own_) return own_->pack_rows(static_cast<const int8_t*>(rows), k_, n_, packed);
  pack(rows, {1, k_}, packed);
}
void Matmul::pack_columns(const void* columns, void* packed) {
  if (own_) return own_->pack_columns(static_cast<const int8_t*>(columns), k_, n_, packed);
  pack(columns, {n_, 1}, packed);
}

}  // namespace amanuensis
