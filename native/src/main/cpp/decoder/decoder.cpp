#include "decoder/decoder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "align/alignment.h"
#include "decoder/logit_filters.h"
#include "model/errors.h"

namespace amanuensis {

namespace {
SpecialTokens special(const DecoderShape& s) {
  return {s.vocabulary, s.eot, s.timestamp_begin, s.no_timestamps};
}

// Inverse of the cumulative softmax(logits / temperature) at `uniform`, in token order.
int sample(const float* logits, int n, float temperature, double uniform) {
  const float max = *std::max_element(logits, logits + n);
  std::vector<double> p(static_cast<size_t>(n));
  for (int i = 0; i < n; i++)
    p[static_cast<size_t>(i)] = std::exp(static_cast<double>((logits[i] - max) / temperature));
  const double target = uniform * std::accumulate(p.begin(), p.end(), 0.0);
  double sum = 0;
  int last = 0;
  for (int i = 0; i < n; i++) {
    if (p[static_cast<size_t>(i)] == 0) continue;
    sum += p[static_cast<size_t>(i)];
    last = i;
    if (sum > target) break;
  }
  return last;
}

// The k largest, descending, ties by lower id.
void top(const float* logits, int n, int k, float lse, am_step_result& result) {
  std::vector<int> ids(static_cast<size_t>(n));
  std::iota(ids.begin(), ids.end(), 0);
  k = std::min(k, n);
  std::partial_sort(ids.begin(), ids.begin() + k, ids.end(), [logits](int a, int b) {
    return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
  });
  result.n_top = k;
  for (int i = 0; i < k; i++) {
    result.top_tokens[i] = ids[static_cast<size_t>(i)];
    result.top_logprobs[i] = logits[ids[static_cast<size_t>(i)]] - lse;
  }
}
}  // namespace

Decoder::Decoder(std::shared_ptr<const DecoderWeights> weights, int max_slots, int threads)
    : w_(std::move(weights)),
      pool_(w_->shape.context, w_->shape.layers, w_->shape.state),
      slots_(static_cast<size_t>(max_slots)),
      forward_(*w_, threads) {}

Sequence& Decoder::at(int slot) {
  if (slot < 0 || slot >= static_cast<int>(slots_.size()))
    throw InvalidArgument("slot " + std::to_string(slot) + " does not exist");
  auto& s = slots_[static_cast<size_t>(slot)];
  if (!s) throw BadState("slot " + std::to_string(slot) + " is not open");
  return *s;
}

int Decoder::free_slot() const {
  const auto at = std::find(slots_.begin(), slots_.end(), nullptr);
  if (at == slots_.end()) throw BadState("all " + std::to_string(slots_.size()) + " slots are in use");
  return static_cast<int>(at - slots_.begin());
}

std::unique_ptr<Sequence> Decoder::new_sequence(const void* cross_kv) {
  auto s = std::make_unique<Sequence>();
  s->cross_kv = cross_kv;
  s->family = std::make_shared<Family>(pool_);
  s->family->caches.push_back(pool_.take());
  s->own = s->family->caches.back().get();
  return s;
}

int Decoder::open(const void* cross_kv, const am_slot_options& options) {
  const int slot = free_slot();
  auto suppress = std::make_shared<std::vector<int>>();
  for (int i = 0; i < options.n_suppress; i++) {
    const int id = options.suppress[i];
    if (id < 0 || id >= w_->shape.vocabulary)
      throw InvalidArgument("suppressed token " + std::to_string(id) + " is outside the vocabulary");
    suppress->push_back(id);
  }
  auto s = new_sequence(cross_kv);
  s->suppress_blank = options.suppress_blank != 0;
  s->timestamps = options.timestamps != 0;
  s->max_initial_timestamp = options.max_initial_timestamp;
  s->suppress = suppress;
  slots_[static_cast<size_t>(slot)] = std::move(s);
  return slot;
}

int Decoder::fork(int source) {
  Sequence& from = at(source);
  const int slot = free_slot();
  auto s = std::make_unique<Sequence>(from);
  s->family->caches.push_back(pool_.take());
  s->own = s->family->caches.back().get();
  slots_[static_cast<size_t>(slot)] = std::move(s);
  return slot;
}

void Decoder::reorder(const int32_t* slots, const int32_t* sources, int n) {
  std::vector<Sequence*> from;
  for (int i = 0; i < n; i++) {
    Sequence& s = at(slots[i]);
    if (std::find(from.begin(), from.end(), &s) != from.end())
      throw InvalidArgument("slot " + std::to_string(slots[i]) + " is named twice");
    if (!from.empty() && (s.family != from[0]->family || s.length() != from[0]->length()))
      throw InvalidArgument("slots to reorder must be forks of one slot and have one length");
    if (sources[i] < 0 || sources[i] >= n)
      throw InvalidArgument("source " + std::to_string(sources[i]) + " is not an index into the slots");
    from.push_back(&s);
  }
  std::vector<std::pair<std::vector<SelfCache*>, std::vector<int>>> moved;
  for (int i = 0; i < n; i++)
    moved.emplace_back(from[static_cast<size_t>(sources[i])]->owner,
                       from[static_cast<size_t>(sources[i])]->tokens);
  for (int i = 0; i < n; i++) {
    from[static_cast<size_t>(i)]->owner = std::move(moved[static_cast<size_t>(i)].first);
    from[static_cast<size_t>(i)]->tokens = std::move(moved[static_cast<size_t>(i)].second);
  }
}

void Decoder::close(int slot) {
  at(slot);
  slots_[static_cast<size_t>(slot)].reset();
}

void Decoder::check(const am_step& step) {
  const auto& shape = w_->shape;
  const Sequence& s = at(step.slot);
  if (step.n_tokens < 1 || step.tokens == nullptr) throw InvalidArgument("a step needs at least one token");
  if (s.length() + step.n_tokens > shape.context)
    throw BadState("slot " + std::to_string(step.slot) + ": " + std::to_string(s.length() + step.n_tokens) +
                   " tokens exceed the context of " + std::to_string(shape.context));
  for (int i = 0; i < step.n_tokens; i++)
    if (step.tokens[i] < 0 || step.tokens[i] >= shape.vocabulary)
      throw InvalidArgument("token " + std::to_string(step.tokens[i]) + " is outside the vocabulary");
  if (step.no_speech_row >= step.n_tokens)
    throw InvalidArgument("no_speech_row is outside the step's tokens");
  if (step.top_k < 0 || step.top_k > AM_MAX_TOP_K)
    throw InvalidArgument("top_k must be 0 to " + std::to_string(AM_MAX_TOP_K));
  if (!(step.temperature >= 0) || !(step.uniform >= 0 && step.uniform < 1))
    throw InvalidArgument("temperature must be >= 0 and uniform in [0, 1)");
}

void Decoder::step(const am_step* steps, am_step_result* results, int n) {
  const auto& shape = w_->shape;
  for (int i = 0; i < n; i++) {
    check(steps[i]);
    for (int j = 0; j < i; j++)
      if (steps[j].slot == steps[i].slot)
        throw InvalidArgument("slot " + std::to_string(steps[i].slot) + " is named twice in one step");
  }
  rows_.clear();
  wanted_.clear();
  for (int i = 0; i < n; i++) {
    Sequence& s = at(steps[i].slot);
    const int row = static_cast<int>(rows_.size());
    s.owner.resize(static_cast<size_t>(s.length()));  // shorter than left by a step that failed
    for (int j = 0; j < steps[i].n_tokens; j++) {
      rows_.push_back({&s, steps[i].tokens[j], s.length() + j, -1});
      s.owner.push_back(s.own);
    }
    wanted_.push_back(row + steps[i].n_tokens - 1);
  }
  for (int i = 0; i < n; i++)  // behind the last rows, so that result i reads row i
    if (steps[i].no_speech_row >= 0)
      wanted_.push_back(wanted_[static_cast<size_t>(i)] - steps[i].n_tokens + 1 + steps[i].no_speech_row);
  run_wanted();

  size_t no_speech = static_cast<size_t>(n);
  for (int i = 0; i < n; i++) {
    Sequence& s = at(steps[i].slot);
    s.tokens.insert(s.tokens.end(), steps[i].tokens, steps[i].tokens + steps[i].n_tokens);
    if (steps[i].prompt != 0 || s.sample_begin < 0) s.sample_begin = s.length();
    results[i] = {};
    results[i].no_speech_prob = std::numeric_limits<float>::quiet_NaN();
    if (steps[i].no_speech_row >= 0) {
      const float* raw = logits_.data() + no_speech++ * static_cast<size_t>(shape.vocabulary);
      results[i].no_speech_prob =
          std::exp(raw[shape.no_speech] - row_kernels().log_sum_exp(raw, shape.vocabulary));
    }
    choose(steps[i], s, logits_.data() + static_cast<size_t>(i) * static_cast<size_t>(shape.vocabulary),
           results[i]);
  }
}

// rows_ -> hidden states -> logits of wanted_.
void Decoder::run_wanted() {
  const auto d = static_cast<size_t>(w_->shape.state);
  hidden_.resize(std::max(hidden_.size(), rows_.size() * d));
  wanted_hidden_.resize(std::max(wanted_hidden_.size(), wanted_.size() * d));
  logits_.resize(std::max(logits_.size(), wanted_.size() * static_cast<size_t>(w_->shape.vocabulary)));
  forward_.run(rows_, hidden_.data(), nullptr, 0);
  for (size_t i = 0; i < wanted_.size(); i++)
    std::copy_n(hidden_.data() + static_cast<size_t>(wanted_[i]) * d, d, wanted_hidden_.data() + i * d);
  forward_.logits(wanted_hidden_.data(), static_cast<int>(wanted_.size()), logits_.data());
}

void Decoder::choose(const am_step& step, Sequence& s, float* logits, am_step_result& result) const {
  const int n = w_->shape.vocabulary;
  if (step.raw_logits != nullptr) std::copy_n(logits, n, step.raw_logits);
  apply_filters(s, special(w_->shape), logits);
  const float lse = row_kernels().log_sum_exp(logits, n);
  const int best = static_cast<int>(std::max_element(logits, logits + n) - logits);
  result.token = step.temperature > 0 ? sample(logits, n, step.temperature, step.uniform) : best;
  result.logprob = logits[result.token] - lse;
  float second = -std::numeric_limits<float>::infinity();
  for (int i = 0; i < n; i++)
    if (i != best) second = std::max(second, logits[i]);
  result.margin = logits[best] - second;
  if (step.top_k > 0) top(logits, n, step.top_k, lse, result);
}

void Decoder::detect_language(const void* cross_kv, float* probabilities) {
  const auto& shape = w_->shape;
  auto s = new_sequence(cross_kv);
  s->owner.push_back(s->own);
  rows_.assign(1, {s.get(), shape.sot, 0, -1});
  wanted_.assign(1, 0);
  run_wanted();
  const float* languages = logits_.data() + shape.sot + 1;
  const float lse = row_kernels().log_sum_exp(languages, shape.languages);
  for (int i = 0; i < shape.languages; i++) probabilities[i] = std::exp(languages[i] - lse);
}

void Decoder::align(const am_align_request* requests, int n) {
  for (int i = 0; i < n; i++) check(requests[i]);
  for (int i = 0; i < n; i++) align_one(requests[i]);
}

void Decoder::check(const am_align_request& r) const {
  const auto& shape = w_->shape;
  if (r.n_sot < 1 || r.n_text < 0 || r.sot_sequence == nullptr || (r.n_text > 0 && r.text == nullptr) ||
      r.cross_kv == nullptr || r.start_frames == nullptr || (r.n_text > 0 && r.probabilities == nullptr))
    throw InvalidArgument("an alignment request misses a pointer or a count");
  if (r.n_sot + r.n_text + 2 > shape.context) throw InvalidArgument("the text to align exceeds the context");
  if (r.frames < 2 || r.frames > 2 * shape.frames)
    throw InvalidArgument("frames to align must be 2 to " + std::to_string(2 * shape.frames));
  for (int i = 0; i < r.n_text; i++)
    if (r.text[i] < 0 || r.text[i] >= shape.eot)
      throw InvalidArgument("text token " + std::to_string(r.text[i]) + " is not text");
}

void Decoder::align_one(const am_align_request& r) {
  const auto& shape = w_->shape;
  const auto d = static_cast<size_t>(shape.state);
  auto s = new_sequence(r.cross_kv);
  std::vector<int> tokens(r.sot_sequence, r.sot_sequence + r.n_sot);
  tokens.push_back(shape.no_timestamps);
  tokens.insert(tokens.end(), r.text, r.text + r.n_text);
  tokens.push_back(shape.eot);
  const int n = static_cast<int>(tokens.size());
  rows_.clear();
  for (int i = 0; i < n; i++) {
    s->owner.push_back(s->own);
    rows_.push_back({s.get(), tokens[static_cast<size_t>(i)], i, i});
  }
  hidden_.resize(std::max(hidden_.size(), rows_.size() * d));
  const int frames = r.frames / 2;
  qk_.resize(std::max(
      qk_.size(), shape.alignment_heads.size() * static_cast<size_t>(n) * static_cast<size_t>(shape.frames)));
  forward_.run(rows_, hidden_.data(), qk_.data(), n);

  constexpr int kLogitRows = 16;
  logits_.resize(std::max(logits_.size(), kLogitRows * static_cast<size_t>(shape.vocabulary)));
  for (int first = 0; first < r.n_text; first += kLogitRows) {
    const int here = std::min(kLogitRows, r.n_text - first);
    forward_.logits(hidden_.data() + static_cast<size_t>(r.n_sot + first) * d, here, logits_.data());
    for (int i = 0; i < here; i++) {
      const float* row = logits_.data() + static_cast<size_t>(i) * static_cast<size_t>(shape.vocabulary);
      r.probabilities[first + i] =
          std::exp(row[r.text[first + i]] - row_kernels().log_sum_exp(row, shape.eot));
    }
  }
  const auto starts = align_tokens(qk_.data(), static_cast<int>(shape.alignment_heads.size()), n,
                                   shape.frames, frames, r.n_sot, n - 1);
  std::copy(starts.begin(), starts.end(), r.start_frames);
}

}  // namespace amanuensis
