#include <immintrin.h>

// The instructions of AVX-512 VNNI and of AVX-VNNI, in assembler because GCC 12 copies the sums of its
// intrinsics back and forth. Included by files compiled for one of them only.
namespace amanuensis {
namespace {
#if defined(AMANUENSIS_AVX_VNNI)
inline void add_byte_products(__m256i& sum, __m256i bytes, __m256i weights) {
  asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(bytes), "x"(weights));
}
#else
// sum + four products of unsigned and signed bytes in each lane.
inline void add_byte_products(__m512i& sum, __m512i bytes, __m512i weights) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(bytes), "v"(weights));
}
// sum + two products of int16 in each lane.
inline void add_pair_products(__m512i& sum, __m512i a, __m512i b) {
  asm("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
}
#endif
}  // namespace
}  // namespace amanuensis
