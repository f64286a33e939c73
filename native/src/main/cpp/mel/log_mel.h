// Log-mel spectrogram of openai/whisper (audio.py): periodic Hann window of 400, hop 160, Slaney mel filters.
#pragma once
#include <cstdint>
#include <vector>

namespace amanuensis {

/// pcm: mono samples of 16 bits at 16 kHz, the whole file. Frames are 10 ms. Immutable: any thread.
class LogMel {
 public:
  /// mels: filters, 80 or 128.
  explicit LogMel(int mels);
  int mels() const { return mels_; }
  /// Largest log10(max(mel, 1e-10)) over frames [first, first + count); at least -10.
  float maximum(const int16_t* pcm, int64_t samples, int64_t first, int64_t count) const;
  /// One window in the normalised log domain (see am_mel_window). stride: floats from one mel row to the
  /// next.
  void window(const int16_t* pcm, int64_t samples, int64_t first, int count, float global_max, float* mel,
              int64_t stride) const;

 private:
  struct Filter {
    int first;  // first bin with a weight
    std::vector<float> weights;
  };
  template <class Sink>
  void each_frame(const int16_t* pcm, int64_t samples, int64_t first, int64_t count, Sink sink) const;
  double energy_bound(const int16_t* block, int frame) const;
  int mels_;
  std::vector<Filter> filters_;
  double largest_weight_ = 0;
};

}  // namespace amanuensis
