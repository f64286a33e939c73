#include "decoder/step_kernels.h"

#include "device/cpu/kernels.h"
#include "device/cpu/matmul.h"
namespace amanuensis {
const StepKernels& step_kernels() {
  if (avx512_vnni_is_native()) return step_kernels_vnni();
  if (&row_kernels() == &row_kernels_avx512()) return step_kernels_avx512();
  if (avx_vnni_is_native()) return step_kernels_avx_vnni();
  if (&row_kernels() == &row_kernels_avx2()) return step_kernels_avx2();
  return step_kernels_generic();
}
}  // namespace amanuensis
