#include "device/cpu/amx_attention.h"

// As in int16_attention_avx2.cpp, nothing here may be the copy of a template that the linker keeps.
#if defined(AMANUENSIS_AMX)
#include "device/cpu/amx.inl"
#include "device/cpu/amx_vectors.inl"

namespace amanuensis {

namespace {
constexpr int kStep = AmxBlock::kStep;

void pack_keys(AmxHeadView& head, const float* keys) {
  const Extent extent = extent_of(keys, head.rows);
  head.key_scale = extent.largest / kByteMost;
  head.longest_key = extent.longest;
  const __m512 scale = _mm512_set1_ps(byte_scale(extent));
  const __m512i apart = _mm512_slli_epi32(
      _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0), 6);  // 64 bytes
  alignas(64) int8_t tile[kByteTile];                                              // key by key
  int8_t* to = head.keys;
  for (int first = 0; first < head.padded; first += kStep)
    for (int odd = 0; odd < 2; odd++) {
      for (int i = 0; i < kTileRows; i++) {
        const int t = first + 2 * i + odd;
        if (t < head.rows)
          put_bytes(keys + int64_t{t} * kHead, scale, tile + i * kHead);
        else
          __builtin_memset(tile + i * kHead, 0, kHead);
      }
      for (int d = 0; d < kHead; d += 4, to += kTileBytes)
        _mm512_store_si512(to, _mm512_i32gather_epi32(apart, tile + d, 1));
    }
}

inline uint16_t weight_of(const AmxHeadView& head, const float* weights, int t) {
  const float w = t >= head.rows ? 0.0f : weights ? weights[t] : 1.0f;
  uint32_t bits;
  __builtin_memcpy(&bits, &w, sizeof bits);
  return static_cast<uint16_t>(bits >> 16);  // of whole numbers below 256 nothing is lost
}

// Each value is packed times its weight: what that many equal ones add to the sum.
void pack_values(AmxHeadView& head, const float* values, const float* weights) {
  const auto half = [&](int t, int column) {
    if (t >= head.rows) return _mm512_setzero_si512();
    const __m512 w = _mm512_set1_ps(weights ? weights[t] : 1.0f);
    return _mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(
        _mm512_cvtneps_pbh(_mm512_mul_ps(_mm512_loadu_ps(values + int64_t{t} * kHead + column), w))));
  };
  for (int t = 0; t < head.padded; t += 2) {
    head.weights[t] = weight_of(head, weights, t);
    head.weights[t + 1] = weight_of(head, weights, t + 1);
    for (int g = 0; g < 4; g++) {
      uint16_t* to = head.values + int64_t{g / 2} * head.padded * 32 + int64_t{t / kStep} * 2 * kHalfTile +
                     g % 2 * kHalfTile + t % kStep / 2 * 32;
      _mm512_store_si512(to, _mm512_or_si512(half(t, g * 16), _mm512_slli_epi32(half(t + 1, g * 16), 16)));
    }
  }
}

}  // namespace

void pack_amx_head(AmxHeadView& head, const float* keys, const float* values, const float* weights) {
  pack_keys(head, keys);
  pack_values(head, values, weights);
}

}  // namespace amanuensis
#endif
