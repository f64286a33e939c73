#include "decoder/step_kernels.h"

#include "device/cpu/kernels.h"
namespace amanuensis {
const StepKernels& step_kernels() {
  if (&row_kernels() == &row_kernels_avx512()) return step_kernels_avx512();
  if (&row_kernels() == &row_kernels_avx2()) return step_kernels_avx2();
  return step_kernels_generic();
}
}  // namespace amanuensis
