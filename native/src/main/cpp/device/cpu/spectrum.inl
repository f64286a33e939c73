// Log-mel kernels: power spectra of eight frames side by side, and the logarithm of their mel bands.
// Included like kernels.inl: once per instruction set.
#include <immintrin.h>

#include <cmath>
namespace amanuensis {
namespace {
constexpr int kFrameLanes = RowKernels::kSpectrumLanes, kHop = 160, kFrame = 400, kFft = kFrame / 2;

// The frames that one register holds, of the eight: fewer at a time keep the FFT's two arrays in the L1
// cache.
#if defined(__AVX512F__)
constexpr int kPart = 8;
#else
constexpr int kPart = 4;
#endif
typedef double Frames __attribute__((vector_size(kPart * 8)));
typedef int64_t FrameBits __attribute__((vector_size(kPart * 8)));

struct Complex {
  Frames re, im;
  Complex operator+(const Complex& o) const { return {re + o.re, im + o.im}; }
  Complex operator-(const Complex& o) const { return {re - o.re, im - o.im}; }
  Complex times(double c, double s) const { return {re * c - im * s, re * s + im * c}; }
  Complex times_minus_i() const { return {im, -re}; }
};

struct Twiddles {
  double cos[kFrame], sin[kFrame];  // e^(-2 pi i k / 400)
  Twiddles() {
    for (int k = 0; k < kFrame; k++) {
      cos[k] = std::cos(3.14159265358979323846 * k / kFft);
      sin[k] = -std::sin(3.14159265358979323846 * k / kFft);
    }
  }
};

// The passes of Stockham's FFT (decimation in frequency): length n, stride s, from x to y.
void radix_5(int n, int s, const Complex* x, Complex* y, const Twiddles& w) {
  constexpr double c1 = 0.30901699437494742, c2 = -0.80901699437494742;  // cos(2 pi / 5), cos(4 pi / 5)
  constexpr double s1 = 0.95105651629515357, s2 = 0.58778525229247313;
  const int m = n / 5, step = kFrame / n;
  for (int p = 0; p < m; p++)
    for (int q = 0; q < s; q++) {
      const Complex* from = x + q + s * p;
      const Complex a = from[0], sum1 = from[s * m] + from[4 * s * m],
                    sum2 = from[2 * s * m] + from[3 * s * m];
      const Complex d1 = from[s * m] - from[4 * s * m], d2 = from[2 * s * m] - from[3 * s * m];
      const Complex e1{a.re + c1 * sum1.re + c2 * sum2.re, a.im + c1 * sum1.im + c2 * sum2.im};
      const Complex e2{a.re + c2 * sum1.re + c1 * sum2.re, a.im + c2 * sum1.im + c1 * sum2.im};
      const Complex f1 = Complex{s1 * d1.re + s2 * d2.re, s1 * d1.im + s2 * d2.im}.times_minus_i();
      const Complex f2 = Complex{s2 * d1.re - s1 * d2.re, s2 * d1.im - s1 * d2.im}.times_minus_i();
      Complex* to = y + q + s * 5 * p;
      const int k = p * step;
      to[0] = a + sum1 + sum2;
      to[s] = (e1 + f1).times(w.cos[k], w.sin[k]);
      to[2 * s] = (e2 + f2).times(w.cos[2 * k], w.sin[2 * k]);
      to[3 * s] = (e2 - f2).times(w.cos[3 * k], w.sin[3 * k]);
      to[4 * s] = (e1 - f1).times(w.cos[4 * k], w.sin[4 * k]);
    }
}
void radix_4(int n, int s, const Complex* x, Complex* y, const Twiddles& w) {
  const int m = n / 4, step = kFrame / n;
  for (int p = 0; p < m; p++)
    for (int q = 0; q < s; q++) {
      const Complex* from = x + q + s * p;
      const Complex sum1 = from[0] + from[2 * s * m], sum2 = from[s * m] + from[3 * s * m];
      const Complex d1 = from[0] - from[2 * s * m], d2 = (from[s * m] - from[3 * s * m]).times_minus_i();
      Complex* to = y + q + s * 4 * p;
      const int k = p * step;
      to[0] = sum1 + sum2;
      to[s] = (d1 + d2).times(w.cos[k], w.sin[k]);
      to[2 * s] = (sum1 - sum2).times(w.cos[2 * k], w.sin[2 * k]);
      to[3 * s] = (d1 - d2).times(w.cos[3 * k], w.sin[3 * k]);
    }
}
void radix_2(int s, const Complex* x, Complex* y) {
  for (int q = 0; q < s; q++) {
    y[q] = x[q] + x[q + s];
    y[q + s] = x[q] - x[q + s];
  }
}

// x: the frames of one part, sample after sample. Even and odd samples are the two halves of a complex
// number.
void power_spectrum_part(const Complex* x, double* power, const Twiddles& w) {
  Complex a[kFft], b[kFft];
  radix_5(200, 1, x, a, w);
  radix_5(40, 5, a, b, w);
  radix_4(8, 25, b, a, w);
  radix_2(100, a, b);
  for (int k = 0; k <= kFft / 2; k++) {
    const Complex p = b[k], q = b[(kFft - k) % kFft];
    const Complex even{(p.re + q.re) * 0.5, (p.im - q.im) * 0.5};
    const Complex odd = Complex{(p.im + q.im) * 0.5, (q.re - p.re) * 0.5}.times(w.cos[k], w.sin[k]);
    const Complex low = even + odd, high = even - odd;
    const Frames at_k = low.re * low.re + low.im * low.im, mirrored = high.re * high.re + high.im * high.im;
    __builtin_memcpy(power + k * kFrameLanes, &at_k, sizeof at_k);
    __builtin_memcpy(power + (kFft - k) * kFrameLanes, &mirrored, sizeof mirrored);
  }
}

#if defined(__AVX2__)
// Rows of eight samples of eight frames -> eight samples side by side, in place.
inline void transpose(__m128i (&r)[8]) {
  __m128i t[8];
  for (int i = 0; i < 4; i++) {
    t[2 * i] = _mm_unpacklo_epi16(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm_unpackhi_epi16(r[2 * i], r[2 * i + 1]);
  }
  const __m128i u[8] = {_mm_unpacklo_epi32(t[0], t[2]), _mm_unpackhi_epi32(t[0], t[2]),
                        _mm_unpacklo_epi32(t[1], t[3]), _mm_unpackhi_epi32(t[1], t[3]),
                        _mm_unpacklo_epi32(t[4], t[6]), _mm_unpackhi_epi32(t[4], t[6]),
                        _mm_unpacklo_epi32(t[5], t[7]), _mm_unpackhi_epi32(t[5], t[7])};
  for (int i = 0; i < 4; i++) {
    r[2 * i] = _mm_unpacklo_epi64(u[i], u[i + 4]);
    r[2 * i + 1] = _mm_unpackhi_epi64(u[i], u[i + 4]);
  }
}
#endif

// parts[i]: sample after sample of the frames of part i, windowed.
void window_frames(const int16_t* pcm, const double* window, Frames (*parts)[kFrame]) {
#if defined(__AVX2__)
  for (int n = 0; n < kFrame; n += 8) {
    __m128i rows[kFrameLanes];
    for (int lane = 0; lane < kFrameLanes; lane++)
      rows[lane] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(pcm + kHop * lane + n));
    transpose(rows);
    for (int j = 0; j < 8; j++) {
#if defined(__AVX512F__)
      parts[0][n + j] =
          reinterpret_cast<Frames>(_mm512_cvtepi32_pd(_mm256_cvtepi16_epi32(rows[j]))) * window[n + j];
#else
      parts[0][n + j] =
          reinterpret_cast<Frames>(_mm256_cvtepi32_pd(_mm_cvtepi16_epi32(rows[j]))) * window[n + j];
      parts[1][n + j] =
          reinterpret_cast<Frames>(_mm256_cvtepi32_pd(_mm_cvtepi16_epi32(_mm_srli_si128(rows[j], 8)))) *
          window[n + j];
#endif
    }
  }
#else
  for (int lane = 0; lane < kFrameLanes; lane++)
    for (int n = 0; n < kFrame; n++) parts[lane / kPart][n][lane % kPart] = pcm[kHop * lane + n] * window[n];
#endif
}

void power_spectrum_400(const int16_t* pcm, const double* window, double* power) {
  static const Twiddles w;
  constexpr int kParts = kFrameLanes / kPart;
  Frames x[kParts][kFrame];
  window_frames(pcm, window, x);
  for (int part = 0; part < kParts; part++)
    power_spectrum_part(reinterpret_cast<const Complex*>(x[part]), power + part * kPart, w);
}

// log10 of positive normal numbers, error below 1e-12: with x = 2^e m, sqrt(1/2) <= m < sqrt(2), the series
// of log(m) = 2 artanh((m - 1) / (m + 1)).
inline Frames log10(Frames x) {
  constexpr int64_t kHalfRoot = 0x3fe6a09e667f3bcd, kOne = 0x3ff0000000000000, k2To52 = 0x4330000000000000;
  FrameBits bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  bits += kOne - kHalfRoot;
  // The exponent as the low bits of 2^52 + exponent: AVX2 converts no 64-bit integers.
  const FrameBits high = ((bits >> 52) & 0x7ff) | k2To52;
  const FrameBits low = (bits & 0xfffffffffffff) + kHalfRoot;
  Frames exponent, m;
  __builtin_memcpy(&exponent, &high, sizeof exponent);
  __builtin_memcpy(&m, &low, sizeof m);
  exponent -= 4503599627370496.0 + 1023;
  const Frames s = (m - 1.0) / (m + 1.0), square = s * s;
  Frames p = square * (1.0 / 13) + 1.0 / 11;
  p = p * square + 1.0 / 9;
  p = p * square + 1.0 / 7;
  p = p * square + 1.0 / 5;
  p = p * square + 1.0 / 3;
  p = p * square + 1.0;
  return exponent * 0.30102999566398120 + s * p * 0.86858896380650365;
}

void mel_log10(const double* power, const float* weights, int n, float* log) {
  for (int part = 0; part < kFrameLanes; part += kPart) {
    Frames sum = {};
    for (int i = 0; i < n; i++) {
      Frames bin;
      __builtin_memcpy(&bin, power + i * kFrameLanes + part, sizeof bin);
      sum += static_cast<double>(weights[i]) * bin;
    }
    const Frames least = Frames{} + 1e-10;
    sum = log10(sum > least ? sum : least);
    for (int lane = 0; lane < kPart; lane++) log[part + lane] = static_cast<float>(sum[lane]);
  }
}

}  // namespace
}  // namespace amanuensis
