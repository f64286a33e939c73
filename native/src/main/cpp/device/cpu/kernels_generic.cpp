#include "device/cpu/kernels.h"
#include "device/cpu/kernels.inl"
#include "device/cpu/spectrum.inl"
namespace amanuensis {
AMANUENSIS_ROW_KERNELS(row_kernels_generic, "generic")
}
