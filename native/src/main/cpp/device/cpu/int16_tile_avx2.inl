// The integer micro-kernel for machines without VNNI: int16 pairs multiplied and summed into int32
// (vpmaddwd), exact as long as the sums fit, at twice the rate of f32. Included by files compiled for AVX2
// only.
#include <immintrin.h>

#include <cstdint>

namespace amanuensis {
namespace {

/// Columns of b in a panel, and rows of a in a tile: twelve accumulators of eight int32.
constexpr int64_t kInt16Panel = 16;
constexpr int64_t kInt16Tile = 6;

// Assembler, because GCC 12 spills accumulators of this tile: 12 sums, 2 columns of b, 2 temporaries are all
// 16 registers. Per pair of k: 12 vpmaddwd and 12 vpaddd, the most that four vector pipes take in six cycles.
#define AMANUENSIS_ROW(from, low, high) \
  "vpbroadcastd " from                  \
  ", %[x]\n"                            \
  "vpmaddwd %[b0], %[x], %[y]\n"        \
  "vpmaddwd %[b1], %[x], %[x]\n"        \
  "vpaddd %[y], %[" low "], %[" low     \
  "]\n"                                 \
  "vpaddd %[x], %[" high "], %[" high "]\n"
#define AMANUENSIS_PAIR(at, left, right)                                                                 \
  "vmovdqa " left                                                                                        \
  "(%[b]), %[b0]\n"                                                                                      \
  "vmovdqa " right "(%[b]), %[b1]\n" AMANUENSIS_ROW(at "(%[a])", "c0", "d0")                             \
      AMANUENSIS_ROW(at "(%[a], %[stride])", "c1", "d1")                                                 \
          AMANUENSIS_ROW(at "(%[a], %[stride], 2)", "c2", "d2") AMANUENSIS_ROW(at "(%[a3])", "c3", "d3") \
              AMANUENSIS_ROW(at "(%[a3], %[stride])", "c4", "d4")                                        \
                  AMANUENSIS_ROW(at "(%[a3], %[stride], 2)", "c5", "d5")
#define AMANUENSIS_ZERO(r) "vpxor %[" r "], %[" r "], %[" r "]\n"

// c[6 x 16] = a[6 x k] * b. b: one panel, k/2 x 16 columns x (k, k + 1); 32-byte aligned. k: a positive
// multiple of 4. Rows of a and c are lda and ldc elements apart.
inline void int16_tile(const int16_t* a, int64_t lda, const int16_t* b, int64_t k, int32_t* c, int64_t ldc) {
  __m256i c0, c1, c2, c3, c4, c5, d0, d1, d2, d3, d4, d5, b0, b1, x, y;
  const int16_t* a3 = a + 3 * lda;
  int64_t quads = k / 4;
  asm volatile(AMANUENSIS_ZERO("c0") AMANUENSIS_ZERO("c1") AMANUENSIS_ZERO("c2") AMANUENSIS_ZERO("c3")
                   AMANUENSIS_ZERO("c4") AMANUENSIS_ZERO("c5") AMANUENSIS_ZERO("d0") AMANUENSIS_ZERO("d1")
                       AMANUENSIS_ZERO("d2") AMANUENSIS_ZERO("d3") AMANUENSIS_ZERO("d4") AMANUENSIS_ZERO("d5")
               ".p2align 5\n"
               "1:\n" AMANUENSIS_PAIR("0", "0", "32") AMANUENSIS_PAIR("4", "64", "96")
               "add $8, %[a]\n"
               "add $8, %[a3]\n"
               "add $128, %[b]\n"
               "dec %[quads]\n"
               "jnz 1b\n"
               : [c0] "=&x"(c0), [c1] "=&x"(c1), [c2] "=&x"(c2), [c3] "=&x"(c3), [c4] "=&x"(c4),
                 [c5] "=&x"(c5), [d0] "=&x"(d0), [d1] "=&x"(d1), [d2] "=&x"(d2), [d3] "=&x"(d3),
                 [d4] "=&x"(d4), [d5] "=&x"(d5), [b0] "=&x"(b0), [b1] "=&x"(b1), [x] "=&x"(x), [y] "=&x"(y),
                 [a] "+r"(a), [a3] "+r"(a3), [b] "+r"(b), [quads] "+r"(quads)
               : [stride] "r"(lda * 2)
               : "memory", "cc");
  const auto store = [=](int64_t row, __m256i low, __m256i high) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(c + row * ldc), low);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(c + row * ldc + 8), high);
  };
  store(0, c0, d0);
  store(1, c1, d1);
  store(2, c2, d2);
  store(3, c3, d3);
  store(4, c4, d4);
  store(5, c5, d5);
}
#undef AMANUENSIS_ROW
#undef AMANUENSIS_PAIR
#undef AMANUENSIS_ZERO

}  // namespace
}  // namespace amanuensis
