#include "device/cpu/matmul.h"

#include <omp.h>

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
bool bf16_is_native() { return has(dnnl::cpu_isa::avx512_core_bf16); }
std::string dnnl_isa_name() {
  using dnnl::cpu_isa;
  static const std::pair<cpu_isa, const char*> kNames[] = {
      {cpu_isa::avx512_core_amx, "avx512_core_amx"}, {cpu_isa::avx512_core_bf16, "avx512_core_bf16"}, {cpu_isa::avx512_core_vnni, "avx512_core_vnni"},
      {cpu_isa::avx512_core, "avx512_core"},         {cpu_isa::avx2_vnni, "avx2_vnni"},               {cpu_isa::avx2, "avx2"}};
  for (const auto& [value, name] : kNames)
    if (has(value)) return name;
  return "sse41";
}
void use_threads(int threads) { omp_set_num_threads(threads); }
int encoder_block_rows() { return has(dnnl::cpu_isa::avx512_core_amx) ? 125 : 60; }

Matmul::Matmul(Type a, Type b, Type c, int64_t m, int64_t k, int64_t n, int64_t lda, int64_t ldc, Layout layout)
    : a_type_(a), b_type_(b), c_type_(c), m_(m), k_(k), n_(n), lda_(lda), ldc_(ldc), stream_(dnnl_cpu()) {
  using Tag = memory::format_tag;
  create(memory::desc({k, n}, b, layout == Layout::kPlainRows ? Tag::ba : Tag::any));
}

Matmul::Matmul(const Matmul& like, int64_t m)
    : a_type_(like.a_type_), b_type_(like.b_type_), c_type_(like.c_type_), m_(m), k_(like.k_), n_(like.n_), lda_(like.lda_), ldc_(like.ldc_), stream_(dnnl_cpu()) {
  create(like.b_.get_desc());
}

void Matmul::create(const memory::desc& b) {
  const memory::desc a({m_, k_}, a_type_, memory::dims{lda_, 1});
  const memory::desc c({m_, n_}, c_type_, memory::dims{ldc_, 1});
  const dnnl::matmul::primitive_desc pd(dnnl_cpu(), a, b, c);
  implementation_ = pd.impl_info_str();
  primitive_ = dnnl::matmul(pd);
  a_ = memory(a, dnnl_cpu(), nullptr);
  b_ = memory(pd.weights_desc(), dnnl_cpu(), nullptr);
  c_ = memory(c, dnnl_cpu(), nullptr);
}

void Matmul::run(const void* a, const void* b, void* c) {
  a_.set_data_handle(const_cast<void*>(a));
  b_.set_data_handle(const_cast<void*>(b));
  c_.set_data_handle(c);
  primitive_.execute(stream_, {{DNNL_ARG_SRC, a_}, {DNNL_ARG_WEIGHTS, b_}, {DNNL_ARG_DST, c_}});
}

void Matmul::pack(const void* from, memory::format_tag tag, void* packed) {
  memory source(memory::desc({k_, n_}, b_type_, tag), dnnl_cpu(), const_cast<void*>(from));
  b_.set_data_handle(packed);
  dnnl::reorder(source, b_).execute(stream_, source, b_);
  stream_.wait();
}
void Matmul::pack_rows(const void* rows, void* packed) { pack(rows, memory::format_tag::ba, packed); }
void Matmul::pack_columns(const void* columns, void* packed) { pack(columns, memory::format_tag::ab, packed); }

}  // namespace amanuensis
