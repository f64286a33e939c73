// Of the C ABI: log-mel.
#include "capi/internal.h"
#include "device/cpu/copies.h"
#ifdef AMANUENSIS_TEST_HOOKS
#include "hooks.h"
#endif

using namespace amanuensis::capi;

namespace {
void need_audio(const int16_t* pcm, int64_t samples, int64_t first) {
  need_range(samples, 0, INT64_MAX / 4, "samples");
  if (samples > 0) need(pcm, "pcm");
  need_range(first, 0, INT64_MAX / 1024, "first_frame");
}

// The model's mel filters, or the 80 that all checkpoints before large-v3 have.
const amanuensis::LogMel& mel_of(const am_model* model) {
  static const amanuensis::LogMel usual(80);
  return model == nullptr ? usual : *model->model->mel;
}
}  // namespace

am_status am_mel_max(const am_model* model, const int16_t* pcm, int64_t samples, int64_t first_frame,
                     int64_t frames, float* max) {
  return guarded([&] {
    need_audio(pcm, samples, first_frame);
    need_range(frames, 0, INT64_MAX / 1024, "frames");
    need(max, "max") = mel_of(model).maximum(pcm, samples, first_frame, frames);
  });
}

am_status am_mel_window(const am_model* model, const int16_t* pcm, int64_t samples, int64_t first_frame,
                        int32_t frames, float global_max, float* mel, int64_t row_stride) {
  return guarded([&] {
    need_audio(pcm, samples, first_frame);
    need_range(frames, 0, AM_WINDOW_FRAMES, "frames");
    need_range(row_stride, AM_WINDOW_FRAMES, INT64_MAX / 1024, "row_stride");
    need(mel, "mel");
#ifdef AMANUENSIS_TEST_HOOKS
    amanuensis::crash_if_told(pcm, samples);
#endif
    mel_of(model).window(pcm, samples, first_frame, frames, global_max, mel, row_stride);
    amanuensis::count_copy(int64_t{4} * mel_of(model).mels() * AM_WINDOW_FRAMES);
  });
}
