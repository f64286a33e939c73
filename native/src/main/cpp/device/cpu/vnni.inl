#include <immintrin.h>

// The instructions of AVX-512 VNNI, in assembler because GCC 12 copies the sums of its intrinsics back and
// forth. Included by files compiled for AVX-512 only.
namespace amanuensis {
namespace {
// sum + four products of unsigned and signed bytes in each lane.
inline void add_byte_products(__m512i& sum, __m512i bytes, __m512i weights) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(bytes), "v"(weights));
}
// sum + two products of int16 in each lane.
inline void add_pair_products(__m512i& sum, __m512i a, __m512i b) {
  asm("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
}
}  // namespace
}  // namespace amanuensis
