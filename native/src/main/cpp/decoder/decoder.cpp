#include "decoder/decoder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "align/alignment.h"
#include "decoder/choice.h"
#include "decoder/stopwatch.h"
#include "device/cpu/product_time.h"
#include "model/errors.h"

namespace amanuensis {

namespace {
SpecialTokens special(const DecoderShape& s) {
  return {s.vocabulary, s.eot, s.timestamp_begin, s.no_timestamps};
}
}  // namespace

Decoder::Decoder(std::shared_ptr<const DecoderWeights> weights, int max_slots, int threads)
    : w_(std::move(weights)),
      pool_(w_->shape.context, w_->shape.layers, w_->shape.state, w_->half() ? 2 : 4),
      slots_(static_cast<size_t>(max_slots)),
      most_threads_(threads),
      team_(threads, !StepLinear::own_kernels(w_->arithmetic.layers)),
      forward_(*w_, team_) {}

void Decoder::use_threads(int threads) {
  if (threads < 1 || threads > team_.most())
    throw InvalidArgument("threads must be 1 to " + std::to_string(team_.most()));
  most_threads_ = threads;
}

am_decoder_stats Decoder::stats() const {
  am_decoder_stats s = stats_;
  const ForwardStats& t = forward_.stats();
  s.threads = team_.threads();
  s.rows = t.rows;
  s.logit_rows = t.logit_rows;
  s.projections_ns = t.projections;
  s.self_attention_ns = t.self_attention;
  s.cross_attention_ns = t.cross_attention;
  s.logits_ns = t.logits;
  s.weight_bytes = t.weight_bytes;
  s.cross_kv_bytes = t.cross_bytes;
  s.self_kv_bytes = t.self_bytes;
  s.memory_bytes = static_cast<int64_t>(pool_.bytes() + 4 * (hidden_.capacity() + wanted_hidden_.capacity() +
                                                             logits_.capacity() + scores_.capacity()));
  return s;
}

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
  Stopwatch whole;
  for (int i = 0; i < n; i++) {
    check(steps[i]);
    for (int j = 0; j < i; j++)
      if (steps[j].slot == steps[i].slot)
        throw InvalidArgument("slot " + std::to_string(steps[i].slot) + " is named twice in one step");
  }
  gather(steps, n);
  run_wanted();
  advance(steps, results, n);
  Stopwatch choice;
  const auto& shape = w_->shape;
  team_.run(n, [&](int i, int) {
    float* logits = logits_.data() + static_cast<size_t>(i) * static_cast<size_t>(shape.vocabulary);
    if (steps[i].raw_logits != nullptr) std::copy_n(logits, shape.vocabulary, steps[i].raw_logits);
    choose_token(steps[i], *slots_[static_cast<size_t>(steps[i].slot)], special(shape), logits, results[i]);
  });
  choice.lap(stats_.choice_ns);
  whole.lap(stats_.step_ns);
  stats_.steps++;
  stats_.tokens += n;
}

// The steps' tokens -> rows_, and wanted_: the last row of each step, then the no_speech_rows.
void Decoder::gather(const am_step* steps, int n) {
  rows_.clear();
  wanted_.clear();
  for (int i = 0; i < n; i++) {
    Sequence& s = at(steps[i].slot);
    const int row = static_cast<int>(rows_.size());
    s.owner.resize(static_cast<size_t>(s.length()));  // a step that failed may have left more
    for (int j = 0; j < steps[i].n_tokens; j++) {
      rows_.push_back({&s, steps[i].tokens[j], s.length() + j, nullptr});
      s.owner.push_back(s.own);
    }
    wanted_.push_back(row + steps[i].n_tokens - 1);
  }
  for (int i = 0; i < n; i++)
    if (steps[i].no_speech_row >= 0)
      wanted_.push_back(wanted_[static_cast<size_t>(i)] - steps[i].n_tokens + 1 + steps[i].no_speech_row);
}

// After the pass, whose logits_ are those of wanted_: the sequences take their tokens, the results their
// no_speech_prob.
void Decoder::advance(const am_step* steps, am_step_result* results, int n) {
  const auto& shape = w_->shape;
  auto no_speech = static_cast<size_t>(n);
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
  }
}

// rows_ -> hidden states -> logits of wanted_.
void Decoder::run_wanted() {
  const auto d = static_cast<size_t>(w_->shape.state);
  hidden_.resize(std::max(hidden_.size(), rows_.size() * d));
  wanted_hidden_.resize(std::max(wanted_hidden_.size(), wanted_.size() * d));
  logits_.resize(std::max(logits_.size(), wanted_.size() * static_cast<size_t>(w_->shape.vocabulary)));
  forward_.run(rows_, hidden_.data());
  for (size_t i = 0; i < wanted_.size(); i++)
    std::copy_n(hidden_.data() + static_cast<size_t>(wanted_[i]) * d, d, wanted_hidden_.data() + i * d);
  forward_.logits(wanted_hidden_.data(), static_cast<int>(wanted_.size()), logits_.data());
  count_products();
}

void Decoder::count_products() {
  const int64_t all = forward_.stats().projections + forward_.stats().logits;
  product_time(ProductsOf::kDecoder).fetch_add(all - counted_products_, std::memory_order_relaxed);
  counted_products_ = all;
}

void Decoder::detect_language(const void* cross_kv, float* probabilities) {
  const auto& shape = w_->shape;
  auto s = new_sequence(cross_kv);
  s->owner.push_back(s->own);
  rows_.assign(1, {s.get(), shape.sot, 0, nullptr});
  wanted_.assign(1, 0);
  run_wanted();
  const float* languages = logits_.data() + shape.sot + 1;
  const float lse = row_kernels().log_sum_exp(languages, shape.languages);
  for (int i = 0; i < shape.languages; i++) probabilities[i] = std::exp(languages[i] - lse);
}

namespace {
// Rows of a teacher-forced pass that run together: enough to use each weight often, few enough that the
// scores of their alignment heads stay small.
constexpr int kAlignedRows = 128;
int aligned_rows(const am_align_request& r) { return r.n_sot + r.n_text + 2; }
}  // namespace

void Decoder::align(const am_align_request* requests, int n) {
  Stopwatch watch;
  for (int i = 0; i < n; i++) check(requests[i]);
  for (int first = 0, last; first < n; first = last) {
    int rows = aligned_rows(requests[first]);
    for (last = first + 1; last < n && rows + aligned_rows(requests[last]) <= kAlignedRows; last++)
      rows += aligned_rows(requests[last]);
    align_together(requests + first, last - first);
  }
  for (int i = 0; i < n; i++) stats_.aligned_tokens += requests[i].n_text;
  count_products();
  stats_.alignments += n;
  watch.lap(stats_.align_ns);
}

void Decoder::check(const am_align_request& r) const {
  const auto& shape = w_->shape;
  if (r.n_sot < 1 || r.n_text < 0 || r.sot_sequence == nullptr || (r.n_text > 0 && r.text == nullptr) ||
      r.cross_kv == nullptr || r.start_frames == nullptr || (r.n_text > 0 && r.probabilities == nullptr))
    throw InvalidArgument("an alignment request misses a pointer or a count");
  if (r.n_sot + r.n_text + 2 > shape.context) throw InvalidArgument("the text to align exceeds the context");
  const int most = 2 * std::min(shape.frames, CrossKvLayout::rows(r.cross_kv));
  if (r.frames < 2 || r.frames > most)
    throw InvalidArgument("frames to align must be 2 to " + std::to_string(most));
  for (int i = 0; i < r.n_text; i++)
    if (r.text[i] < 0 || r.text[i] >= shape.eot)
      throw InvalidArgument("text token " + std::to_string(r.text[i]) + " is not text");
}

void Decoder::align_together(const am_align_request* requests, int n) {
  const auto& shape = w_->shape;
  const auto d = static_cast<size_t>(shape.state);
  const int heads = static_cast<int>(shape.alignment_heads.size());
  std::vector<std::unique_ptr<Sequence>> sequences;
  std::vector<ScoreSink> sinks;
  size_t scores = 0;
  rows_.clear();
  for (int i = 0; i < n; i++) {
    sinks.push_back({nullptr, aligned_rows(requests[i]), requests[i].frames / 2});
    scores += static_cast<size_t>(heads) * static_cast<size_t>(sinks.back().rows * sinks.back().frames);
  }
  scores_.resize(std::max(scores_.size(), scores));
  scores = 0;
  for (int i = 0; i < n; i++) {
    const am_align_request& r = requests[i];
    ScoreSink& sink = sinks[static_cast<size_t>(i)];
    sink.data = scores_.data() + scores;
    scores += static_cast<size_t>(heads) * static_cast<size_t>(sink.rows * sink.frames);
    sequences.push_back(new_sequence(r.cross_kv));
    Sequence* s = sequences.back().get();
    s->owner.assign(static_cast<size_t>(sink.rows), s->own);
    const auto row = [&](int token) {
      const int position = static_cast<int>(s->tokens.size());
      s->tokens.push_back(token);
      rows_.push_back({s, token, position, &sink});
    };
    std::for_each(r.sot_sequence, r.sot_sequence + r.n_sot, row);
    row(shape.no_timestamps);
    std::for_each(r.text, r.text + r.n_text, row);
    row(shape.eot);
  }
  hidden_.resize(std::max(hidden_.size(), rows_.size() * d));
  forward_.run(rows_, hidden_.data());
  const float* hidden = hidden_.data();
  for (int i = 0; i < n; i++) {
    const am_align_request& r = requests[i];
    const ScoreSink& sink = sinks[static_cast<size_t>(i)];
    text_probabilities(r, hidden + static_cast<size_t>(r.n_sot) * d);
    hidden += static_cast<size_t>(sink.rows) * d;
    const auto starts =
        align_tokens(sink.data, heads, sink.rows, sink.frames, sink.frames, r.n_sot, sink.rows - 1);
    std::copy(starts.begin(), starts.end(), r.start_frames);
  }
}

// hidden: the rows that predict the text tokens.
void Decoder::text_probabilities(const am_align_request& r, const float* hidden) {
  constexpr int kRows = 16;
  const auto& shape = w_->shape;
  const auto vocabulary = static_cast<size_t>(shape.vocabulary);
  logits_.resize(std::max(logits_.size(), kRows * vocabulary));
  for (int first = 0; first < r.n_text; first += kRows) {
    const int here = std::min(kRows, r.n_text - first);
    forward_.logits(hidden + static_cast<size_t>(first * shape.state), here, logits_.data());
    team_.run(here, [&](int i, int) {
      const float* row = logits_.data() + static_cast<size_t>(i) * vocabulary;
      r.probabilities[first + i] =
          std::exp(row[r.text[first + i]] - row_kernels().log_sum_exp(row, shape.eot));
    });
  }
}

}  // namespace amanuensis
