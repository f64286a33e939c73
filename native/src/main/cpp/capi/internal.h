// What the files of the C ABI share: the handles, argument checks, and the barrier that no exception passes.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "capi/amanuensis.h"
#include "decoder/cross_kv.h"
#include "decoder/decoder.h"
#include "device/xdna2/npu_device.h"
#include "encoder/encoder.h"
#include "model/errors.h"
#include "model/whisper_model.h"

struct am_model {
  std::shared_ptr<const amanuensis::WhisperModel> model;
};

struct am_device {
  std::shared_ptr<amanuensis::NpuDevice> device;
};

struct am_lane {
  /// device: null for none; must live until the constructor returns.
  am_lane(std::shared_ptr<const amanuensis::WhisperModel> m, int threads,
          amanuensis::GemmDevice* device = nullptr)
      : model(std::move(m)),
        gemm(device == nullptr ? nullptr : device->new_lane()),
        helpers(threads > 1 ? &model->helpers(threads) : nullptr),
        encoder(model->encoder, helpers ? helpers->encoder : nullptr, gemm.get()),
        cross(model->decoder->cross_layout, model->decoder->cross_kv, helpers ? helpers->cross : nullptr) {}
  std::shared_ptr<const amanuensis::WhisperModel> model;
  std::unique_ptr<amanuensis::GemmLane> gemm;  // null: no device
  amanuensis::LaneHelpers* helpers;            // the model's, or null
  amanuensis::Encoder encoder;
  amanuensis::CrossKvWriter cross;
  std::vector<float> log_weights;  // scratch of am_cross_kv
};

struct am_decoder {
  am_decoder(std::shared_ptr<const amanuensis::WhisperModel> m, int slots, int threads)
      : model(std::move(m)), decoder(model->decoder, slots, threads) {}
  std::shared_ptr<const amanuensis::WhisperModel> model;
  amanuensis::Decoder decoder;
};

namespace amanuensis::capi {

/// Of am_last_error.
void clear_error() noexcept;
/// For a catch block: keeps the message of what was thrown, returns its status.
am_status caught() noexcept;

/// Runs work and turns whatever it throws into a status.
template <class F>
am_status guarded(F work) noexcept {
  try {
    work();
  } catch (...) {
    return caught();
  }
  clear_error();
  return AM_OK;
}

/// What follows throws InvalidArgument with the parameter's name.
template <class T>
T& need(T* pointer, const char* name) {
  if (pointer == nullptr) throw InvalidArgument(std::string(name) + " is null");
  return *pointer;
}
/// To 64 bytes.
void need_aligned(const void* pointer, const char* name);
/// from <= value <= to.
void need_range(int64_t value, int64_t from, int64_t to, const char* name);

/// Copies what the caller's version of the struct knows.
template <class T>
void give(T& to, T from) {
  if (to.struct_size < sizeof(uint32_t) * 2) throw InvalidArgument("struct_size is not set");
  from.struct_size = to.struct_size;
  std::memcpy(&to, &from, std::min<size_t>(to.struct_size, sizeof(T)));
}

/// What the caller's version of the struct says; zero for what it does not know.
template <class T>
T take(const T& from) {
  if (from.struct_size < sizeof(uint32_t) * 2) throw InvalidArgument("struct_size is not set");
  T out{};
  std::memcpy(&out, &from, std::min<size_t>(from.struct_size, sizeof(T)));
  return out;
}

/// As much of a text as fits, with a NUL.
template <size_t N>
void copy_text(char (&to)[N], const std::string& from) {
  std::memset(to, 0, N);
  std::memcpy(to, from.data(), std::min(from.size(), N - 1));
}

}  // namespace amanuensis::capi
