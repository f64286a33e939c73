// Of the C ABI: models, and the benchmark over one.
#include "bench/engine_bench.h"
#include "capi/internal.h"

using namespace amanuensis::capi;

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
    *model = new am_model{amanuensis::load_whisper(path, wanted)};
  });
}

am_status am_model_get_info(const am_model* model, am_model_info* info) {
  return guarded([&] {
    const amanuensis::WhisperModel& m = *need(model, "model").model;
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

am_status am_bench(const am_model* model, int32_t threads, char* json, int64_t capacity) {
  return guarded([&] {
    need(model, "model");
    need_range(threads, 1, 256, "threads");
    need(json, "json");
    const std::string text = amanuensis::engine_bench(model->model, threads);
    if (static_cast<int64_t>(text.size()) >= capacity)
      throw amanuensis::InvalidArgument("capacity is " + std::to_string(capacity) + ", " +
                                        std::to_string(text.size() + 1) + " are needed");
    std::memcpy(json, text.c_str(), text.size() + 1);
  });
}
