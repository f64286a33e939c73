// Of the C ABI: decoders, their slots and steps, and alignment.
#include "capi/internal.h"

using namespace amanuensis::capi;

namespace {
// A decoder computes, on the cores that are free now.
struct Stepping {
  explicit Stepping(am_decoder& d)
      : share(d.model->load), helpers(d.model->load, d.decoder.most_threads() - 1) {
    d.decoder.use_now(1 + helpers.cores());
  }
  amanuensis::CoreLoad::Share share;
  amanuensis::CoreLoad::Claim helpers;
};
}  // namespace

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
