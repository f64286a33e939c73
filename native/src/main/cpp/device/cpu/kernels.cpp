#include "device/cpu/kernels.h"

#include "device/cpu/matmul.h"
namespace amanuensis {
const RowKernels& row_kernels() {
  const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  const auto has = [isa](dnnl::cpu_isa w) {
    return (isa & static_cast<unsigned>(w)) == static_cast<unsigned>(w);
  };
  if (has(dnnl::cpu_isa::avx512_core)) return row_kernels_avx512();
  if (has(dnnl::cpu_isa::avx2)) return row_kernels_avx2();
  return row_kernels_generic();
}
}  // namespace amanuensis
