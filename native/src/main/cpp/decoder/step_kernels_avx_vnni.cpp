#include "decoder/step_kernels.h"
#include "decoder/step_kernels.inl"
namespace amanuensis {
AMANUENSIS_STEP_KERNELS(step_kernels_avx_vnni)
}
