#include "mel/log_mel.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "capi/amanuensis.h"
#include "device/cpu/kernels.h"

namespace amanuensis {

namespace {
constexpr int kRate = AM_SAMPLE_RATE, kWindow = 400, kHop = AM_HOP, kBins = kWindow / 2 + 1,
              kLanes = RowKernels::kSpectrumLanes;
constexpr int kPiece = 40;  // samples that energy_bound() takes together; divides kWindow
const double kPi = std::acos(-1.0);

// Slaney's mel scale (librosa's htk=False): linear below 1 kHz, logarithmic above.
double mel_to_hz(double mel) {
  constexpr double kLinear = 200.0 / 3;
  return mel < 15 ? kLinear * mel : 1000 * std::exp(std::log(6.4) / 27 * (mel - 15));
}
double hz_to_mel(double hz) {
  return hz < 1000 ? hz * 3 / 200 : 15 + std::log(hz / 1000) * 27 / std::log(6.4);
}

// The periodic window, for samples of 16 bits: brings them to [-1, 1) too.
const std::vector<double>& hann() {
  static const std::vector<double> w = [] {
    std::vector<double> v(kWindow);
    for (int n = 0; n < kWindow; n++)
      v[static_cast<size_t>(n)] = (0.5 - 0.5 * std::cos(2 * kPi * n / kWindow)) / 32768;
    return v;
  }();
  return w;
}

// Sample i of the padded signal: reflected before the start (edge not repeated), zero after the end.
inline int16_t sample(const int16_t* pcm, int64_t samples, int64_t i) {
  i = i < 0 ? -i : i;
  return i < samples ? pcm[i] : int16_t{0};
}

// kLanes frames from frame `first` on: where they lie, or copied with what the signal is padded with.
class Block {
 public:
  Block(const int16_t* pcm, int64_t samples, int64_t first) {
    const int64_t start = first * kHop - kWindow / 2;
    if (start >= 0 && start + kSamples <= samples) {
      data_ = pcm + start;
      return;
    }
    for (int i = 0; i < kSamples; i++) padded_[i] = sample(pcm, samples, start + i);
    data_ = padded_;
  }
  Block(const Block&) = delete;
  const int16_t* data() const { return data_; }

 private:
  static constexpr int kSamples = (kLanes - 1) * kHop + kWindow;
  const int16_t* data_;
  int16_t padded_[kSamples];
};
}  // namespace

LogMel::LogMel(int mels) : mels_(mels) {
  std::vector<double> hz(static_cast<size_t>(mels) + 2);
  const double top = hz_to_mel(kRate / 2.0);
  for (size_t i = 0; i < hz.size(); i++) hz[i] = mel_to_hz(top * static_cast<double>(i) / (mels + 1));
  for (size_t m = 0; m < static_cast<size_t>(mels); m++) {
    Filter f{-1, {}};
    for (int k = 0; k < kBins; k++) {
      const double freq = static_cast<double>(k) * kRate / kWindow;
      const double weight =
          std::min((freq - hz[m]) / (hz[m + 1] - hz[m]), (hz[m + 2] - freq) / (hz[m + 2] - hz[m + 1]));
      if (weight <= 0) continue;
      if (f.first < 0) f.first = k;
      f.weights.push_back(static_cast<float>(weight * 2 / (hz[m + 2] - hz[m])));
    }
    for (float w : f.weights) largest_weight_ = std::max(largest_weight_, static_cast<double>(w));
    filters_.push_back(f);
  }
}

// sink(frame, lanes, filter, log): log10 of a filter's energy in `lanes` (at most kLanes) frames from `frame`
// on, counted from `first`.
template <class Sink>
void LogMel::each_frame(const int16_t* pcm, int64_t samples, int64_t first, int64_t count, Sink sink) const {
  const RowKernels& k = row_kernels();
  const auto& window = hann();
  alignas(64) double power[kBins * kLanes];
  for (int64_t f = 0; f < count; f += kLanes) {
    const int lanes = static_cast<int>(std::min<int64_t>(kLanes, count - f));
    k.power_spectrum_400(Block(pcm, samples, first + f).data(), window.data(), power);
    for (size_t m = 0; m < filters_.size(); m++) {
      const Filter& filter = filters_[m];
      float log[kLanes];
      k.mel_log10(power + filter.first * kLanes, filter.weights.data(),
                  static_cast<int>(filter.weights.size()), log);
      sink(f, lanes, static_cast<int>(m), log);
    }
  }
}

// Most that any filter of a frame can hold: the bins between 0 and 8 kHz, where all filters lie, hold half of
// the spectrum, which is 400 times the energy of the windowed samples (Parseval). The energy itself is
// bounded by that of kPiece samples at a time with the window's largest value there.
double LogMel::energy_bound(const int16_t* block, int frame) const {
  static const std::vector<double> largest = [] {
    std::vector<double> v(kWindow / kPiece);
    for (size_t n = 0; n < kWindow; n++) v[n / kPiece] = std::max(v[n / kPiece], hann()[n] * hann()[n]);
    return v;
  }();
  double energy = 0;
  const int16_t* x = block + frame * kHop;
  for (size_t piece = 0; piece < largest.size(); piece++, x += kPiece) {
    int64_t squares = 0;
    for (int n = 0; n < kPiece; n++) squares += int32_t{x[n]} * x[n];
    energy += static_cast<double>(squares) * largest[piece];
  }
  return energy * (kWindow / 2) * largest_weight_;
}

// Loud frames first: once no other frame can be louder than the loudest so far, the rest needs no transform.
float LogMel::maximum(const int16_t* pcm, int64_t samples, int64_t first, int64_t count) const {
  std::vector<std::pair<double, int64_t>> groups;  // largest bound of its frames, first frame
  for (int64_t f = 0; f < count; f += kLanes) {
    const Block block(pcm, samples, first + f);
    double loudest = 0;
    for (int i = 0; i < std::min<int64_t>(kLanes, count - f); i++)
      loudest = std::max(loudest, energy_bound(block.data(), i));
    groups.emplace_back(loudest, f);
  }
  std::sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  float max = -10;
  for (const auto& [energy, f] : groups) {
    constexpr float kSlack = 1e-3f;  // far more than rounding
    if (std::log10(std::max(energy, 1e-30)) + kSlack <= static_cast<double>(max)) break;
    each_frame(pcm, samples, first + f, std::min<int64_t>(kLanes, count - f),
               [&](int64_t, int lanes, int, const float* log) {
                 for (int l = 0; l < lanes; l++) max = std::max(max, log[l]);
               });
  }
  return max;
}

void LogMel::window(const int16_t* pcm, int64_t samples, int64_t first, int count, float global_max,
                    float* mel, int64_t stride) const {
  const float floor = global_max - 8.0f;
  each_frame(pcm, samples, first, count, [&](int64_t frame, int lanes, int m, const float* log) {
    float* to = mel + m * stride + frame;
    for (int i = 0; i < lanes; i++) to[i] = (std::max(log[i], floor) + 4.0f) / 4.0f;
  });
  for (int m = 0; m < mels_; m++)
    std::fill(mel + m * stride + count, mel + m * stride + AM_WINDOW_FRAMES, 0.0f);
}

}  // namespace amanuensis
