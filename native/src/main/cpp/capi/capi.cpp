// The C ABI over the engine's classes: argument checks, and no exception beyond this file.
#include <algorithm>
#include <cstring>
#include <fstream>
#include <memory>
#include <new>
#include <oneapi/dnnl/dnnl.hpp>
#include <sstream>
#include <string>
#include <thread>

#include "bench/engine_bench.h"
#include "capi/amanuensis.h"
#include "decoder/cross_kv.h"
#include "decoder/decoder.h"
#include "device/cpu/copies.h"
#include "device/cpu/kernels.h"
#include "device/cpu/matmul.h"
#include "device/cpu/product_time.h"
#include "device/xdna2/npu_device.h"
#include "encoder/encoder.h"
#include "model/errors.h"
#include "model/whisper_model.h"
#ifdef AMANUENSIS_TEST_HOOKS
#include "hooks.h"
#endif

using amanuensis::BadState;
using amanuensis::CoreLoad;
using amanuensis::InvalidArgument;
using amanuensis::WhisperModel;

struct am_model {
  std::shared_ptr<const WhisperModel> model;
};

struct am_device {
  std::shared_ptr<amanuensis::NpuDevice> device;
};

struct am_lane {
  am_lane(std::shared_ptr<const WhisperModel> m, int threads, amanuensis::GemmDevice* device = nullptr)
      : model(std::move(m)),
        gemm(device == nullptr ? nullptr : device->new_lane()),
        helpers(threads > 1 ? &model->helpers(threads) : nullptr),
        encoder(model->encoder, helpers ? helpers->encoder : nullptr, gemm.get()),
        cross(model->decoder->cross_layout, model->decoder->cross_kv, model->decoder_shape.heads,
              helpers ? helpers->cross : nullptr) {}
  std::shared_ptr<const WhisperModel> model;
  std::unique_ptr<amanuensis::GemmLane> gemm;
  amanuensis::LaneHelpers* helpers;  // the model's, or null
  amanuensis::Encoder encoder;
  amanuensis::CrossKvWriter cross;
  std::vector<float> log_weights;
};

struct am_decoder {
  am_decoder(std::shared_ptr<const WhisperModel> m, int slots, int threads)
      : model(std::move(m)), decoder(model->decoder, slots, threads) {}
  std::shared_ptr<const WhisperModel> model;
  amanuensis::Decoder decoder;
};

namespace {

thread_local std::string last_error;

am_status fail(am_status status, const std::string& message) noexcept {
  try {
    last_error = message;
  } catch (...) {
    last_error.clear();
  }
  return status;
}

// Runs work and turns whatever it throws into a status.
template <class F>
am_status guarded(F work) noexcept {
  try {
    work();
    last_error.clear();
    return AM_OK;
  } catch (const amanuensis::Error& e) {
    return fail(e.status(), e.what());
  } catch (const std::bad_alloc&) {
    return fail(AM_OUT_OF_MEMORY, "out of memory");
  } catch (const dnnl::error& e) {
    return fail(e.status == dnnl_unimplemented ? AM_UNSUPPORTED : AM_INTERNAL,
                std::string("oneDNN: ") + e.what());
  } catch (const std::exception& e) {
    return fail(AM_INTERNAL, e.what());
  } catch (...) {
    return fail(AM_INTERNAL, "unknown error");
  }
}

template <class T>
T& need(T* pointer, const char* name) {
  if (pointer == nullptr) throw InvalidArgument(std::string(name) + " is null");
  return *pointer;
}

void need_aligned(const void* pointer, const char* name) {
  need(static_cast<const char*>(pointer), name);
  if (reinterpret_cast<uintptr_t>(pointer) % 64 != 0)
    throw InvalidArgument(std::string(name) + " is not 64-byte aligned");
}

void need_range(int64_t value, int64_t from, int64_t to, const char* name) {
  if (value < from || value > to)
    throw InvalidArgument(std::string(name) + " is " + std::to_string(value) + ", must be " +
                          std::to_string(from) + " to " + std::to_string(to));
}

// Copies what the caller's version of the struct knows.
template <class T>
void give(T& to, T from) {
  if (to.struct_size < sizeof(uint32_t) * 2) throw InvalidArgument("struct_size is not set");
  from.struct_size = to.struct_size;
  std::memcpy(&to, &from, std::min<size_t>(to.struct_size, sizeof(T)));
}

// What the caller's version of the struct says; zero for what it does not know.
template <class T>
T take(const T& from) {
  if (from.struct_size < sizeof(uint32_t) * 2) throw InvalidArgument("struct_size is not set");
  T out{};
  std::memcpy(&out, &from, std::min<size_t>(from.struct_size, sizeof(T)));
  return out;
}

template <size_t N>
void copy_text(char (&to)[N], const std::string& from) {
  std::memset(to, 0, N);
  std::memcpy(to, from.data(), std::min(from.size(), N - 1));
}

std::string cpu_brand() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(std::min(line.size(), line.find(':') + 2));
  return "unknown";
}

std::vector<amanuensis::NpuProgram> programs_of(const std::string& lines) {
  std::vector<amanuensis::NpuProgram> programs;
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    amanuensis::NpuProgram p;
    std::getline(fields, p.xclbin, '\t');
    std::getline(fields, p.kernel, '\t');
    std::getline(fields, p.instructions, '\t');
    fields >> p.m >> p.k >> p.n;
    if (!fields || p.m <= 0 || p.k <= 0 || p.n <= 0)
      throw InvalidArgument("programs: can't read '" + line + "'");
    programs.push_back(std::move(p));
  }
  return programs;
}

// A decoder computes, on the cores that are free now.
struct Stepping {
  explicit Stepping(am_decoder& d)
      : share(d.model->load), helpers(d.model->load, d.decoder.most_threads() - 1) {
    d.decoder.use_now(1 + helpers.cores());
  }
  CoreLoad::Share share;
  CoreLoad::Claim helpers;
};

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

int32_t am_abi_version(void) { return AM_ABI_VERSION; }

const char* am_last_error(void) { return last_error.c_str(); }

am_status am_cpu(am_cpu_info* info) {
  return guarded([&] {
    am_cpu_info out{};
    out.logical_cpus = static_cast<int32_t>(std::thread::hardware_concurrency());
    copy_text(out.brand, cpu_brand());
    copy_text(out.isa, amanuensis::row_kernels().isa);
    copy_text(out.dnnl_isa, amanuensis::dnnl_isa_name());
    const dnnl_version_t* v = dnnl_version();
    copy_text(out.dnnl_version,
              std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch));
    give(need(info, "info"), out);
  });
}

am_status am_model_open(const char* path, const am_model_options* options, am_model** model) {
  return guarded([&] {
    need(path, "path");
    const am_model_options wanted = take(need(options, "options"));
    need_range(wanted.profile, AM_PROFILE_REFERENCE, AM_PROFILE_FAST, "profile");
    need_range(wanted.f32_parts, 0, 31, "f32_parts");
    need_range(wanted.padding_stride, 0, AM_WINDOW_FRAMES / 2, "padding_stride");
    need_range(wanted.padding_margin, 0, AM_WINDOW_FRAMES / 2, "padding_margin");
    need(model, "model");
    need_range(wanted.cores, 0, 1 << 16, "cores");
    *model = new am_model{amanuensis::load_whisper(path, wanted, wanted.for_device != 0)};
  });
}

am_status am_model_get_info(const am_model* model, am_model_info* info) {
  return guarded([&] {
    const WhisperModel& m = *need(model, "model").model;
    const auto& e = m.encoder_shape;
    const auto& d = m.decoder_shape;
    am_model_info out{};
    out.profile = m.profile;
    out.n_mels = e.mels;
    out.n_audio_ctx = e.context;
    out.n_audio_state = e.state;
    out.n_audio_head = e.heads;
    out.n_audio_layer = e.layers;
    out.n_vocab = d.vocabulary;
    out.n_text_ctx = d.context;
    out.n_text_state = d.state;
    out.n_text_head = d.heads;
    out.n_text_layer = d.layers;
    out.multilingual = d.languages > 0 ? 1 : 0;
    out.n_languages = d.languages;
    out.eot = d.eot;
    out.sot = d.sot;
    out.timestamp_begin = d.timestamp_begin;
    out.no_speech = d.no_speech;
    out.no_timestamps = d.no_timestamps;
    out.n_alignment_heads = static_cast<int32_t>(d.alignment_heads.size());
    out.mel_bytes = int64_t{4} * e.mels * AM_WINDOW_FRAMES;
    out.encoder_bytes = int64_t{4} * e.context * e.state;
    out.cross_kv_bytes = static_cast<int64_t>(m.decoder->cross_layout.bytes());
    out.weight_bytes = static_cast<int64_t>(bytes_of(*m.encoder) + m.decoder->bytes);
    give(need(info, "info"), out);
  });
}

void am_model_close(am_model* model) { delete model; }

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

am_status am_lane_create(const am_model* model, int32_t threads, am_lane** lane) {
  return guarded([&] {
    need(model, "model");
    need_range(threads, 1, 256, "threads");
    need(lane, "lane") = new am_lane(model->model, threads);
  });
}

am_status am_lane_create_on(const am_model* model, int32_t threads, am_device* device, am_lane** lane) {
  return guarded([&] {
    need(model, "model");
    need(device, "device");
    need_range(threads, 1, 256, "threads");
    if (!model->model->for_device)
      throw amanuensis::BadState("the model was not opened for a device, or its profile is not int8");
    need(lane, "lane") = new am_lane(model->model, threads, device->device.get());
  });
}

void am_lane_close(am_lane* lane) { delete lane; }

am_status am_device_open(const am_device_options* options, am_device** device) {
  return guarded([&] {
    need(options, "options");
    need(device, "device");
    need_range(options->struct_size, sizeof(am_device_options), INT32_MAX, "struct_size");
    need_range(options->timeout_ms, 6000, 600'000, "timeout_ms");
    need_range(options->probe_ms, 1, 3'600'000, "probe_ms");
    need_range(options->max_windows, 1, 1024, "max_windows");
    need_range(options->check_every, 0, INT32_MAX, "check_every");
    amanuensis::NpuOptions o;
    o.backend = &need(options->backend, "backend");
    o.xrt = &need(options->xrt, "xrt");
    o.programs = programs_of(&need(options->programs, "programs"));
    o.timeout_ms = options->timeout_ms;
    o.probe_ms = options->probe_ms;
    o.max_windows = options->max_windows;
    o.check_every = options->check_every;
    o.row_checks = options->row_checks != 0;
    o.keep_trying = options->keep_trying != 0;
    o.spill = options->spill != 0;
    *device = new am_device{amanuensis::NpuDevice::open(std::move(o))};
  });
}

am_status am_device_get_stats(am_device* device, am_device_stats* stats) {
  return guarded([&] {
    const amanuensis::NpuStats s = need(device, "device").device->stats();
    am_device_stats out{};
    out.state = static_cast<int32_t>(s.state);
    out.queued = s.queued;
    out.deepest = s.deepest;
    out.quarantined = s.quarantined;
    out.generation = static_cast<int64_t>(s.generation);
    out.products = s.products;
    out.operations = s.operations;
    out.busy_ns = s.busy_ns;
    out.wall_ns = s.wall_ns;
    out.faults = s.faults;
    out.rebuilds = s.rebuilds;
    out.returns = s.returns;
    out.timeouts = s.timeouts;
    out.wrong_products = s.wrong_products;
    out.cross_checks = s.cross_checks;
    out.windows = s.windows;
    out.spilled_windows = s.spilled_windows;
    out.cpu_products = s.cpu_products;
    out.device_window_ms = s.device_window_ms;
    out.cpu_window_ms = s.cpu_window_ms;
    copy_text(out.kind, s.kind);
    copy_text(out.error, s.error);
    copy_text(out.hint, s.hint);
    copy_text(out.name, s.name);
    copy_text(out.xrt, s.xrt);
    out.dispatches = s.dispatches;
    out.switches = s.switches;
    give(need(stats, "stats"), out);
  });
}

am_status am_device_time(am_device* device, int64_t m, int64_t k, int64_t n, int32_t repeats,
                         double* milliseconds) {
  return guarded([&] {
    need_range(m, 1, 1 << 20, "m");
    need_range(k, 1, 1 << 20, "k");
    need_range(n, 1, 1 << 20, "n");
    need_range(repeats, 1, 1'000'000, "repeats");
    need(milliseconds, "milliseconds") = need(device, "device").device->time_product(k, n, m, repeats);
    if (*milliseconds < 0)
      throw amanuensis::Error(AM_UNSUPPORTED, "the NPU is down or has no program for this product");
  });
}

void am_device_close(am_device* device) { delete device; }

am_status am_encode(am_lane* lane, const float* mel, int64_t row_stride, int32_t content_frames,
                    float* states, float* block_outputs) {
  return guarded([&] {
    need(lane, "lane");
    need(mel, "mel");
    need_range(content_frames, 0, AM_WINDOW_FRAMES, "content_frames");
    need_range(row_stride, AM_WINDOW_FRAMES, INT64_MAX / 1024, "row_stride");
    need(states, "states");
    const CoreLoad::Share share(lane->model->load);
    lane->encoder.encode(mel, row_stride, content_frames, states, block_outputs);
    const auto& shape = lane->model->decoder_shape;
    amanuensis::count_copy(int64_t{4} * shape.frames * shape.state);
  });
}

am_status am_lane_rows(const am_lane* lane, int32_t content_frames, int32_t* rows) {
  return guarded([&] {
    need_range(content_frames, 0, AM_WINDOW_FRAMES, "content_frames");
    need(rows, "rows");
    *rows = need(lane, "lane").encoder.rows(content_frames).rows;
  });
}

am_status am_cross_kv(am_lane* lane, const float* states, int32_t content_frames, void* cross_kv) {
  return guarded([&] {
    need(lane, "lane");
    need(states, "states");
    need_range(content_frames, 0, AM_WINDOW_FRAMES, "content_frames");
    need_aligned(cross_kv, "cross_kv");
    const CoreLoad::Share share(lane->model->load);
    const amanuensis::KeptRows rows = lane->encoder.rows(content_frames);
    if (!rows.all()) rows.log_weights(1.0f, lane->log_weights);
    lane->cross.write(states, rows.rows, rows.all() ? nullptr : lane->log_weights.data(), cross_kv,
                      lane->gemm.get());
  });
}

am_status am_bench(const am_model* model, int32_t threads, char* json, int64_t capacity) {
  return guarded([&] {
    need(model, "model");
    need_range(threads, 1, 256, "threads");
    need(json, "json");
    const std::string text = amanuensis::engine_bench(model->model, threads);
    if (static_cast<int64_t>(text.size()) >= capacity)
      throw InvalidArgument("capacity is " + std::to_string(capacity) + ", " +
                            std::to_string(text.size() + 1) + " are needed");
    std::memcpy(json, text.c_str(), text.size() + 1);
  });
}

am_status am_decoder_create(const am_model* model, int32_t max_slots, int32_t threads, am_decoder** decoder) {
  return guarded([&] {
    need(model, "model");
    need_range(max_slots, 1, 1024, "max_slots");
    need_range(threads, 1, 256, "threads");
    need(decoder, "decoder") = new am_decoder(model->model, max_slots, threads);
  });
}

void am_decoder_close(am_decoder* decoder) { delete decoder; }

am_status am_slot_open(am_decoder* decoder, const void* cross_kv, const am_slot_options* options,
                       int32_t* slot) {
  return guarded([&] {
    need(decoder, "decoder");
    need_aligned(cross_kv, "cross_kv");
    need_range(need(options, "options").n_suppress, 0, 1 << 20, "n_suppress");
    if (options->n_suppress > 0) need(options->suppress, "suppress");
    need(slot, "slot") = decoder->decoder.open(cross_kv, *options);
  });
}

am_status am_slot_fork(am_decoder* decoder, int32_t src, int32_t* slot) {
  return guarded([&] { need(slot, "slot") = need(decoder, "decoder").decoder.fork(src); });
}

am_status am_slots_reorder(am_decoder* decoder, const int32_t* slots, const int32_t* sources, int32_t n) {
  return guarded([&] {
    need(decoder, "decoder");
    need_range(n, 0, 1024, "n");
    if (n == 0) return;
    decoder->decoder.reorder(&need(slots, "slots"), &need(sources, "sources"), n);
  });
}

am_status am_slot_close(am_decoder* decoder, int32_t slot) {
  return guarded([&] { need(decoder, "decoder").decoder.close(slot); });
}

am_status am_decode_step(am_decoder* decoder, const am_step* steps, am_step_result* results, int32_t n) {
  return guarded([&] {
    need(decoder, "decoder");
    need_range(n, 0, 1024, "n");
    if (n == 0) return;
    const Stepping stepping(*decoder);
    decoder->decoder.step(&need(steps, "steps"), &need(results, "results"), n);
  });
}

am_status am_detect_language(am_decoder* decoder, const void* cross_kv, float* probabilities) {
  return guarded([&] {
    need(decoder, "decoder");
    need_aligned(cross_kv, "cross_kv");
    need(probabilities, "probabilities");
    if (decoder->model->decoder_shape.languages == 0)
      throw amanuensis::Error(AM_UNSUPPORTED, "an English-only model has no language tokens");
    const Stepping stepping(*decoder);
    decoder->decoder.detect_language(cross_kv, probabilities);
  });
}

am_status am_decoder_use_threads(am_decoder* decoder, int32_t threads) {
  return guarded([&] { need(decoder, "decoder").decoder.use_threads(threads); });
}

am_status am_decoder_get_stats(const am_decoder* decoder, am_decoder_stats* stats) {
  return guarded([&] { give(need(stats, "stats"), need(decoder, "decoder").decoder.stats()); });
}

am_status am_align(am_decoder* decoder, const am_align_request* requests, int32_t n) {
  return guarded([&] {
    need(decoder, "decoder");
    need_range(n, 0, 1024, "n");
    if (n == 0) return;
    const Stepping stepping(*decoder);
    decoder->decoder.align(&need(requests, "requests"), n);
  });
}

int64_t am_copies(void) { return amanuensis::copies_of_thread().count; }

int64_t am_copied_bytes(void) { return amanuensis::copies_of_thread().bytes; }

void am_count_copy(int64_t bytes) { amanuensis::count_copy(bytes); }

int64_t am_product_nanos(int32_t decoder) {
  using amanuensis::ProductsOf;
  return amanuensis::product_time(decoder != 0 ? ProductsOf::kDecoder : ProductsOf::kEncoder);
}
