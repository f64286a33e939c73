#include "bench/engine_bench.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <random>
#include <vector>

#include "bench/json_writer.h"
#include "capi/amanuensis.h"
#include "device/cpu/kernels.h"
#include "device/cpu/matmul.h"
#include "encoder/encoder.h"
#include "encoder/encoder_weights.h"

namespace amanuensis {

namespace {

using Type = Matmul::Type;
constexpr int kClipFrames = 770;  // a clip of 7.7 s
constexpr int kTokens = 100;      // of a full window of speech, about

struct Spread {
  double median, low, high;  // low, high: a tenth of the runs lie outside on either side
};

// Seconds of one call; at least `least` runs and `seconds` of them.
Spread measure(int least, double seconds, const std::function<void()>& work) {
  using Clock = std::chrono::steady_clock;
  work();  // first touch, lazily made kernels
  std::vector<double> runs;
  const auto start = Clock::now();
  while (static_cast<int>(runs.size()) < least ||
         std::chrono::duration<double>(Clock::now() - start).count() < seconds) {
    const auto from = Clock::now();
    work();
    runs.push_back(std::chrono::duration<double>(Clock::now() - from).count());
  }
  std::sort(runs.begin(), runs.end());
  const size_t n = runs.size();
  return {runs[n / 2], runs[n / 10], runs[n - 1 - n / 10]};
}

void write(JsonWriter& out, const Spread& s) {
  out.field("median_us", s.median * 1e6).field("p10_us", s.low * 1e6).field("p90_us", s.high * 1e6);
}

std::vector<float> noise(size_t n, unsigned seed) {
  std::mt19937 g(seed);
  std::normal_distribution<float> d;
  std::vector<float> v(n);
  for (auto& x : v) x = d(g);
  return v;
}

size_t width(Type type) { return dnnl::memory::data_type_size(type); }

const char* name_of(Type type) { return type == Type::s8 ? "int8" : type == Type::bf16 ? "bf16" : "f32"; }

// One GEMM of the encoder with the weights of a layer, as a lane calls it.
struct Gemm {
  const char* name;
  Type type;
  int64_t m, k, n;
};

// Operations per second of a block of m rows.
double gemm_rate(const Gemm& g, JsonWriter& out) {
  Matmul matmul(g.type, g.type, g.type == Type::s8 ? Type::s32 : Type::f32, g.m, g.k, g.n, g.k, g.n);
  AlignedArray<uint8_t> a(static_cast<size_t>(g.m * g.k) * width(g.type)), packed(matmul.packed_bytes()),
      c(static_cast<size_t>(g.m * g.n) * 4), rows(static_cast<size_t>(g.n * g.k) * width(g.type));
  // Small values of any type: a byte pattern that is no NaN in bf16 and f32 either.
  std::fill(a.data(), a.data() + a.size(), uint8_t{0x3c});
  std::fill(rows.data(), rows.data() + rows.size(), uint8_t{0x3b});
  matmul.pack_rows(rows.data(), packed.data());
  const Spread time = measure(20, 0.15, [&] { matmul.run(a.data(), packed.data(), c.data()); });
  const double operations = 2.0 * static_cast<double>(g.m * g.k * g.n);
  out.open(nullptr, '{').field("name", std::string(g.name)).field("type", std::string(name_of(g.type)));
  out.field("m", static_cast<double>(g.m)).field("k", static_cast<double>(g.k));
  out.field("n", static_cast<double>(g.n)).field("implementation", matmul.implementation());
  write(out, time);
  out.field("gops", operations / time.median / 1e9);
  out.field("bytes", static_cast<double>(a.size() + rows.size() + c.size())).close('}');
  return operations / time.median;
}

struct Machine {
  double memory = 0;        // bytes per second, read by one thread
  double exponentials = 0;  // per second
};

Machine machine(JsonWriter& out) {
  Machine m;
  std::vector<uint64_t> big(size_t{24} << 20);  // 192 MB: more than caches hold
  std::iota(big.begin(), big.end(), uint64_t{1});
  volatile uint64_t sink = 0;
  const Spread read = measure(5, 0.3, [&] {
    uint64_t sum[8] = {};
    for (size_t i = 0; i < big.size(); i += 8)
      for (size_t j = 0; j < 8; j++) sum[j] += big[i + j];
    sink = sum[0] + sum[1] + sum[2] + sum[3] + sum[4] + sum[5] + sum[6] + sum[7];
  });
  (void)sink;
  m.memory = static_cast<double>(big.size() * 8) / read.median;
  const auto scores = noise(1500, 1);
  std::vector<float> p(1500);
  const Spread softmax = measure(100, 0.1, [&] { row_kernels().softmax_f32(scores.data(), p.data(), 1500); });
  m.exponentials = 1500 / softmax.median;
  out.open("machine", '{').field("isa", std::string(row_kernels().isa)).field("dnnl_isa", dnnl_isa_name());
  out.field("memory_read_gbs", m.memory / 1e9).field("softmax_gexp_s", m.exponentials / 1e9).close('}');
  return m;
}

// Rates of the encoder's GEMMs, each at its own shape.
struct Rates {
  double conv1, conv2, qkv, out, fc1, fc2, scores, values;
};

// The GEMMs that stand for attention: bytes for the scores of all integer kinds; for weighted values bf16 on
// AMX, else bytes: without VNNI those are multiplied as int16 pairs too, and with it two take one int16's
// time.
struct AttentionTypes {
  explicit AttentionTypes(AttentionKind kind)
      : scores(kind == AttentionKind::kF32 ? Type::f32 : Type::s8),
        values(kind == AttentionKind::kAmx ? Type::bf16 : scores),
        values_share(kind == AttentionKind::kInt16 && dnnl_int8_is_exact() ? 0.5 : 1) {}
  Type scores, values;
  double values_share;
};

Rates rates(const WhisperModel& m, JsonWriter& out) {
  const auto& s = m.encoder_shape;
  const int64_t rows = encoder_block_rows(), d = s.state;
  const Type linear = m.profile == AM_PROFILE_FAST ? Type::s8 : Type::f32;
  const AttentionTypes attention(m.encoder->attention);
  out.open("gemms", '[');
  const auto rate = [&](const char* name, Type type, int64_t k, int64_t n) {
    return gemm_rate({name, type, rows, k, n}, out);
  };
  Rates r{};
  r.conv1 = rate("conv1", m.encoder->half ? Type::bf16 : Type::f32, 3 * s.mels, d);
  r.conv2 = rate("conv2", linear, 3 * d, d);
  r.qkv = rate("q, k, v", linear, d, 3 * d);
  r.out = rate("attention output", linear, d, d);
  r.fc1 = rate("fc1", linear, d, 4 * d);
  r.fc2 = rate("fc2", linear, 4 * d, d);
  r.scores = rate("scores (K = 64)", attention.scores, 64, s.context);
  r.values = attention.values_share * rate("weighted values (N = 64)", attention.values, s.context, 64);
  out.close(']');
  return r;
}

struct Stage {
  const char* name;
  EncoderTime time;
  double operations, gemm_seconds, exponentials, bytes;
};

EncoderTime median_of(const std::vector<EncoderTimes>& times, EncoderTime EncoderTimes::* part) {
  std::vector<double> seconds, products;
  for (const auto& t : times) {
    seconds.push_back((t.*part).seconds);
    products.push_back((t.*part).products);
  }
  std::sort(seconds.begin(), seconds.end());
  std::sort(products.begin(), products.end());
  return {seconds[seconds.size() / 2], products[products.size() / 2]};
}

// One window of `content` frames on one thread: its stages and what they could take.
void encoder_window(const WhisperModel& m, const char* name, int content, const Rates& rate,
                    const Machine& machine, JsonWriter& out) {
  const auto& s = m.encoder_shape;
  Encoder encoder(m.encoder);
  const auto mel = noise(static_cast<size_t>(s.mels) * AM_WINDOW_FRAMES, 2);
  AlignedArray<float> states(static_cast<size_t>(s.context) * static_cast<size_t>(s.state));
  std::vector<EncoderTimes> times;
  const Spread total = measure(5, 2, [&] {
    encoder.encode(mel.data(), AM_WINDOW_FRAMES, content, states.data(), nullptr);
    times.push_back(encoder.times());
  });
  const auto median = [&](EncoderTime EncoderTimes::* part) { return median_of(times, part); };
  const KeptRows kept = encoder.rows(content);
  const double rows = kept.rows(), dense = kept.dense(), d = s.state, layers = s.layers, heads = s.heads;
  const double linear = m.profile == AM_PROFILE_FAST ? 1 : 4;
  const double conv1 = 2 * 2 * dense * 3 * s.mels * d, conv2 = 2 * dense * 3 * d * d;
  const double qkv = layers * 2 * rows * d * 3 * d, project = layers * 2 * rows * d * d,
               mlp = layers * 2 * rows * d * 4 * d, square = layers * 2 * heads * rows * rows * 64;
  const double stream = rows * d * 4;  // bytes of one pass over the residual stream
  const Stage stages[] = {
      {"convolutions", median(&EncoderTimes::convolutions), conv1 + conv2,
       conv1 / rate.conv1 + conv2 / rate.conv2, 0, 3 * s.mels * d * 4 + 3 * d * d * linear + 3 * stream},
      {"q, k, v", median(&EncoderTimes::qkv), qkv, qkv / rate.qkv, 0,
       layers * (3 * d * d * linear + 4 * stream)},
      {"attention", median(&EncoderTimes::attention), 2 * square, square / rate.scores + square / rate.values,
       layers * heads * rows * rows, layers * 4 * stream},
      {"output and MLP", median(&EncoderTimes::mlp), project + 2 * mlp,
       project / rate.out + mlp / rate.fc1 + mlp / rate.fc2, layers * rows * 4 * d,
       layers * (9 * d * d * linear + 3 * stream)},
      {"final norm", median(&EncoderTimes::final_norm), 0, 0, 0, 2 * stream},
  };
  out.open(nullptr, '{').field("name", std::string(name)).field("rows", rows);
  write(out, total);
  out.open("stages", '[');
  double bound = 0, operations = 0;
  for (const Stage& stage : stages) {
    const double least =
        stage.gemm_seconds + stage.exponentials / machine.exponentials + stage.bytes / machine.memory;
    bound += least;
    operations += stage.operations;
    out.open(nullptr, '{').field("name", std::string(stage.name)).field("ms", stage.time.seconds * 1e3);
    out.field("gops", stage.operations / stage.time.seconds / 1e9).field("gemm_ms", stage.gemm_seconds * 1e3);
    out.field("exp_ms", stage.exponentials / machine.exponentials * 1e3);
    out.field("bytes", stage.bytes).field("bytes_ms", stage.bytes / machine.memory * 1e3);
    // Attention's own kernels are no products of Matmul.
    out.field("of_rate", stage.time.products > 0 ? stage.gemm_seconds / stage.time.products : 0);
    out.field("of_gemm", stage.gemm_seconds / stage.time.seconds)
        .field("of_bound", least / stage.time.seconds)
        .close('}');
  }
  out.close(']').field("gop", operations / 1e9).field("bound_ms", bound * 1e3);
  out.field("of_bound", bound / total.median).close('}');
}

// A window's cross-attention K/V, filled.
AlignedArray<uint8_t> cross_kv(const WhisperModel& m, int content) {
  Encoder encoder(m.encoder);
  const auto& s = m.encoder_shape;
  const auto mel = noise(static_cast<size_t>(s.mels) * AM_WINDOW_FRAMES, 3);
  AlignedArray<float> states(static_cast<size_t>(s.context) * static_cast<size_t>(s.state));
  encoder.encode(mel.data(), AM_WINDOW_FRAMES, content, states.data(), nullptr);
  CrossKvWriter writer(m.decoder->cross_layout, m.decoder->cross_kv);
  AlignedArray<uint8_t> kv(m.decoder->cross_layout.bytes());
  const KeptRows rows = encoder.rows(content);
  std::vector<float> weights;
  rows.log_weights(1.0f, weights);
  writer.write(states.data(), rows.rows(), rows.all() ? nullptr : weights.data(), kv.data());
  return kv;
}

// Opens `batch` sequences and steps them until each has kTokens; returns seconds per step. Each has a window
// of its own: sequences over one window would share the pass over its keys and values.
Spread decode(const std::shared_ptr<const WhisperModel>& m, int batch, int threads,
              const AlignedArray<uint8_t>& kv) {
  std::vector<AlignedArray<uint8_t>> windows;
  for (int i = 0; i < batch; i++) {
    windows.emplace_back(kv.size());
    std::memcpy(windows.back().data(), kv.data(), kv.size());
  }
  Decoder decoder(m->decoder, batch, threads);
  const auto& shape = m->decoder_shape;
  am_slot_options options{};
  options.struct_size = sizeof options;
  options.max_initial_timestamp = -1;
  options.timestamps = 1;
  std::vector<am_step> steps(static_cast<size_t>(batch));
  std::vector<am_step_result> results(steps.size());
  const int32_t prompt[] = {shape.sot, shape.languages > 0 ? shape.sot + 1 : shape.timestamp_begin,
                            shape.languages > 0 ? shape.sot + shape.languages + 2 : shape.timestamp_begin};
  for (size_t i = 0; i < steps.size(); i++) {
    auto& step = steps[i];
    step = am_step{};
    step.slot = decoder.open(windows[i].data(), options);
    step.tokens = prompt;
    step.n_tokens = shape.languages > 0 ? 3 : 1;
    step.prompt = 1;
    step.no_speech_row = -1;
  }
  decoder.step(steps.data(), results.data(), batch);
  const int32_t word = 1000;  // any token of text
  for (auto& step : steps) {
    step.tokens = &word;
    step.n_tokens = 1;
    step.prompt = 0;
  }
  int left = kTokens;
  std::vector<double> runs;
  while (left-- > 0) {
    const auto from = std::chrono::steady_clock::now();
    decoder.step(steps.data(), results.data(), batch);
    runs.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count());
  }
  std::sort(runs.begin(), runs.end());
  return {runs[runs.size() / 2], runs[runs.size() / 10], runs[runs.size() - 1 - runs.size() / 10]};
}

void decoder_steps(const std::shared_ptr<const WhisperModel>& m, int threads, const Machine& machine,
                   JsonWriter& out) {
  const auto kv = cross_kv(*m, AM_WINDOW_FRAMES);
  const auto& w = *m->decoder;
  double weights = static_cast<double>(w.logits.packed.size());
  for (const auto& b : w.blocks)
    for (const LinearWeights* linear : {&b.qkv, &b.self_out, &b.cross_q, &b.cross_out, &b.fc1, &b.fc2})
      weights += static_cast<double>(linear->packed.size());
  const auto& s = m->decoder_shape;
  const double self = (w.half() ? 2.0 : 4.0) * 2 * s.layers * s.state * kTokens / 2;  // half full on average
  out.open("decoder", '[');
  for (int batch : {1, 4, 16}) {
    const Spread step = decode(m, batch, threads, kv);
    const double bytes = weights + batch * (static_cast<double>(kv.size()) + self);
    out.open(nullptr, '{').field("batch", batch).field("threads", threads);
    write(out, step);
    out.field("tokens_per_s", batch / step.median).field("bytes", bytes);
    out.field("bound_tokens_per_s", batch / (bytes / machine.memory));
    out.field("of_bound", bytes / machine.memory / step.median).close('}');
  }
  out.close(']');
}

// A full window alone: nothing else runs, so the whole team works on it.
void alone(const std::shared_ptr<const WhisperModel>& m, int threads, JsonWriter& out) {
  const auto& s = m->encoder_shape;
  std::vector<int16_t> pcm(size_t{AM_WINDOW_FRAMES} * AM_HOP);
  const auto wave = noise(pcm.size(), 4);
  for (size_t i = 0; i < pcm.size(); i++) pcm[i] = static_cast<int16_t>(wave[i] * 1000);
  const auto samples = static_cast<int64_t>(pcm.size());
  std::vector<float> mel(static_cast<size_t>(s.mels) * AM_WINDOW_FRAMES);
  float top = 0;
  const Spread first =
      measure(5, 0.2, [&] { top = m->mel->maximum(pcm.data(), samples, 0, AM_WINDOW_FRAMES); });
  const Spread second = measure(5, 0.2, [&] {
    m->mel->window(pcm.data(), samples, 0, AM_WINDOW_FRAMES, top, mel.data(), AM_WINDOW_FRAMES);
  });
  CoreLoad load(threads);
  const CoreLoad::Share share(load);
  LaneHelpers helpers(load, threads, *m->encoder, m->decoder->cross_kv.front());
  Encoder encoder(m->encoder, helpers.encoder);
  AlignedArray<float> states(static_cast<size_t>(s.context) * static_cast<size_t>(s.state));
  const Spread encode = measure(
      5, 1, [&] { encoder.encode(mel.data(), AM_WINDOW_FRAMES, AM_WINDOW_FRAMES, states.data(), nullptr); });
  CrossKvWriter writer(m->decoder->cross_layout, m->decoder->cross_kv, helpers.cross);
  AlignedArray<uint8_t> kv(m->decoder->cross_layout.bytes());
  const Spread cross = measure(5, 0.5, [&] { writer.write(states.data(), s.context, nullptr, kv.data()); });
  const Spread step = decode(m, 1, threads, kv);
  Decoder decoder(m->decoder, 1, threads);
  std::vector<int32_t> text(kTokens, 1000), starts(kTokens + 1);
  std::vector<float> probabilities(kTokens);
  am_align_request request{};
  request.struct_size = sizeof request;
  const int32_t sot = m->decoder_shape.sot;
  request.n_sot = 1;
  request.sot_sequence = &sot;
  request.n_text = kTokens;
  request.text = text.data();
  request.cross_kv = kv.data();
  request.frames = AM_WINDOW_FRAMES;
  request.start_frames = starts.data();
  request.probabilities = probabilities.data();
  const Spread align = measure(5, 0.3, [&] { decoder.align(&request, 1); });
  out.open("alone", '{').field("threads", threads).field("tokens", kTokens);
  out.field("mel_ms", (first.median + second.median) * 1e3).field("encode_ms", encode.median * 1e3);
  out.field("cross_kv_ms", cross.median * 1e3).field("decode_ms", step.median * kTokens * 1e3);
  out.field("align_ms", align.median * 1e3).close('}');
}

}  // namespace

std::string engine_bench(const std::shared_ptr<const WhisperModel>& model, int threads) {
  JsonWriter out;
  out.open(nullptr, '{')
      .field("profile", std::string(model->profile == AM_PROFILE_FAST ? "fast" : "reference"));
  use_threads(1);
  const Machine m = machine(out);
  const Rates r = rates(*model, out);
  out.open("encoder", '[');
  encoder_window(*model, "full window", AM_WINDOW_FRAMES, r, m, out);
  encoder_window(*model, "clip of 7.7 s", kClipFrames, r, m, out);
  out.close(']');
  decoder_steps(model, threads, m, out);
  alone(model, threads, out);
  return out.close('}').text();
}

}  // namespace amanuensis
