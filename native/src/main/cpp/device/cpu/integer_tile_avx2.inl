// The integer micro-kernels for 256-bit registers, 6 rows by 16 columns, exact as long as the sums fit in
// int32. Included by files compiled for AVX2 only.
#include <immintrin.h>

#include <cstdint>

namespace amanuensis {
namespace {

/// Columns of b in a panel, and rows of a in a tile: twelve sums of eight int32.
constexpr int64_t kTileColumns = 16;
constexpr int64_t kTileRows = 6;

/// What a step multiplies in each lane, four bytes of a with four of b.
enum class Products {
  kPairs,      // two int16 each, by vpmaddwd and vpaddd: twice the rate of f32
  kVnniPairs,  // the same in one instruction of AVX-VNNI
  kVnniBytes   // four unsigned bytes of a, four signed ones of b (AVX-VNNI)
};

// Assembler, because GCC 12 spills sums of this tile: 12 sums, 2 columns of b and 2 temporaries are all 16
// registers. Pairs without VNNI: 12 vpmaddwd and 12 vpaddd a step, the most that four vector pipes take in
// six cycles.
#define AMANUENSIS_PAIRS(from, low, high) \
  "vpbroadcastd " from                    \
  ", %[x]\n"                              \
  "vpmaddwd %[b0], %[x], %[y]\n"          \
  "vpmaddwd %[b1], %[x], %[x]\n"          \
  "vpaddd %[y], %[" low "], %[" low       \
  "]\n"                                   \
  "vpaddd %[x], %[" high "], %[" high "]\n"
#define AMANUENSIS_VNNI(instruction, from, low, high) \
  "vpbroadcastd " from                                \
  ", %[x]\n"                                          \
  "%{vex%} " instruction " %[b0], %[x], %[" low       \
  "]\n"                                               \
  "%{vex%} " instruction " %[b1], %[x], %[" high "]\n"
#define AMANUENSIS_VNNI_PAIRS(from, low, high) AMANUENSIS_VNNI("vpdpwssd", from, low, high)
#define AMANUENSIS_VNNI_BYTES(from, low, high) AMANUENSIS_VNNI("vpdpbusd", from, low, high)

#define AMANUENSIS_STEP(ROW, at, left, right)                                                             \
  "vmovdqa " left                                                                                         \
  "(%[b]), %[b0]\n"                                                                                       \
  "vmovdqa " right "(%[b]), %[b1]\n" ROW(at "(%[a])", "c0", "d0") ROW(at "(%[a], %[stride])", "c1", "d1") \
      ROW(at "(%[a], %[stride], 2)", "c2", "d2") ROW(at "(%[a3])", "c3", "d3")                            \
          ROW(at "(%[a3], %[stride])", "c4", "d4") ROW(at "(%[a3], %[stride], 2)", "c5", "d5")
#define AMANUENSIS_ZERO(r) "vpxor %[" r "], %[" r "], %[" r "]\n"
// clang-format off: it leaves lines of this too long.
#define AMANUENSIS_LOOP(ROW)                                                                           \
  asm volatile(AMANUENSIS_ZERO("c0") AMANUENSIS_ZERO("c1") AMANUENSIS_ZERO("c2") AMANUENSIS_ZERO("c3") \
               AMANUENSIS_ZERO("c4") AMANUENSIS_ZERO("c5") AMANUENSIS_ZERO("d0") AMANUENSIS_ZERO("d1") \
               AMANUENSIS_ZERO("d2") AMANUENSIS_ZERO("d3") AMANUENSIS_ZERO("d4") AMANUENSIS_ZERO("d5") \
               ".p2align 5\n"                                                                          \
               "1:\n"                                                                                  \
               AMANUENSIS_STEP(ROW, "0", "0", "32")                                                    \
               AMANUENSIS_STEP(ROW, "4", "64", "96")                                                   \
               "add $8, %[a]\n"                                                                        \
               "add $8, %[a3]\n"                                                                       \
               "add $128, %[b]\n"                                                                      \
               "dec %[left]\n"                                                                         \
               "jnz 1b\n"                                                                              \
               : [c0] "=&x"(low[0]), [c1] "=&x"(low[1]), [c2] "=&x"(low[2]),                           \
                 [c3] "=&x"(low[3]), [c4] "=&x"(low[4]), [c5] "=&x"(low[5]),                           \
                 [d0] "=&x"(high[0]), [d1] "=&x"(high[1]), [d2] "=&x"(high[2]),                        \
                 [d3] "=&x"(high[3]), [d4] "=&x"(high[4]), [d5] "=&x"(high[5]),                        \
                 [b0] "=&x"(b0), [b1] "=&x"(b1), [x] "=&x"(x), [y] "=&x"(y),                           \
                 [a] "+r"(a), [a3] "+r"(a3), [b] "+r"(b), [left] "+r"(left)                            \
               : [stride] "r"(lda)                                                                     \
               : "memory", "cc")
// clang-format on

/// c[6 x 16] = start + a[6 x 4 steps bytes] * b. A step takes four bytes of each row of a and 64 of b, four
/// for each column. steps: even and positive; b: 32-byte aligned; start: null for zeros, or what each row
/// begins with. Rows of a are lda bytes apart, those of c ldc elements.
template <Products kProducts>
inline void integer_tile(const void* a, int64_t lda, const void* b, int64_t steps, const int32_t* start,
                         int32_t* c, int64_t ldc) {
  const auto at = [](const int32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); };
  __m256i low[kTileRows], high[kTileRows], b0, b1, x, y;
  const auto* a3 = static_cast<const uint8_t*>(a) + 3 * lda;
  int64_t left = steps / 2;
  if constexpr (kProducts == Products::kPairs) AMANUENSIS_LOOP(AMANUENSIS_PAIRS);
#if defined(AMANUENSIS_AVX_VNNI)
  if constexpr (kProducts == Products::kVnniPairs) AMANUENSIS_LOOP(AMANUENSIS_VNNI_PAIRS);
  if constexpr (kProducts == Products::kVnniBytes) AMANUENSIS_LOOP(AMANUENSIS_VNNI_BYTES);
#endif
  const __m256i low_start = start ? at(start) : _mm256_setzero_si256();
  const __m256i high_start = start ? at(start + 8) : _mm256_setzero_si256();
#pragma GCC unroll 6
  for (int64_t row = 0; row < kTileRows; row++) {
    auto* to = reinterpret_cast<__m256i*>(c + row * ldc);
    _mm256_storeu_si256(to, _mm256_add_epi32(low[row], low_start));
    _mm256_storeu_si256(to + 1, _mm256_add_epi32(high[row], high_start));
  }
}
#undef AMANUENSIS_PAIRS
#undef AMANUENSIS_VNNI
#undef AMANUENSIS_VNNI_PAIRS
#undef AMANUENSIS_VNNI_BYTES
#undef AMANUENSIS_STEP
#undef AMANUENSIS_ZERO
#undef AMANUENSIS_LOOP

}  // namespace
}  // namespace amanuensis
