#include "decoder/decoder.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "align/alignment.h"
#include "decoder/choice.h"
#include "decoder/requests.h"
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

void Decoder::step(const am_step* steps, am_step_result* results, int n) {
  Stopwatch whole;
  for (int i = 0; i < n; i++) {
    check_step(steps[i], at(steps[i].slot).length(), w_->shape);
    for (int j = 0; j < i; j++)
      if (steps[j].slot == steps[i].slot)
        throw InvalidArgument("slot " + std::to_string(steps[i].slot) + " is named twice in one step");
  }
  gather(steps, n);
  run_wanted();
  advance(steps, results, n);
  Stopwatch choice;
  choose(steps, results, n);
  choice.lap(stats_.choice_ns);
  whole.lap(stats_.step_ns);
  stats_.steps++;
}

// The steps' tokens and drafts -> rows_, and wanted_: the last token's row of each step and those of its
// draft, then the no_speech_rows.
void Decoder::gather(const am_step* steps, int n) {
  rows_.clear();
  wanted_.clear();
  std::vector<int> no_speech;
  for (int i = 0; i < n; i++) {
    const am_step& step = steps[i];
    Sequence& s = at(step.slot);
    const int first = static_cast<int>(rows_.size());
    s.owner.resize(static_cast<size_t>(s.length()));  // a step that failed may have left more
    for (int j = 0; j < step.n_tokens + step.n_draft; j++) {
      const int token = j < step.n_tokens ? step.tokens[j] : step.draft[j - step.n_tokens];
      const bool wanted = j >= step.n_tokens - 1 || j == step.no_speech_row;
      rows_.push_back({&s, token, s.length() + j, nullptr, wanted});
      s.owner.push_back(s.own);
    }
    for (int j = step.n_tokens - 1; j < step.n_tokens + step.n_draft; j++) wanted_.push_back(first + j);
    if (step.no_speech_row >= 0) no_speech.push_back(first + step.no_speech_row);
  }
  wanted_.insert(wanted_.end(), no_speech.begin(), no_speech.end());
}

// After the pass, whose logits_ are those of wanted_: the sequences take their tokens, for now with their
// drafts, the results their no_speech_prob.
void Decoder::advance(const am_step* steps, am_step_result* results, int n) {
  const auto& shape = w_->shape;
  auto no_speech = static_cast<size_t>(n);
  for (int i = 0; i < n; i++) no_speech += static_cast<size_t>(steps[i].n_draft);
  for (int i = 0; i < n; i++) {
    Sequence& s = at(steps[i].slot);
    s.tokens.insert(s.tokens.end(), steps[i].tokens, steps[i].tokens + steps[i].n_tokens);
    if (steps[i].prompt != 0 || s.sample_begin < 0) s.sample_begin = s.length();
    s.tokens.insert(s.tokens.end(), steps[i].draft, steps[i].draft + steps[i].n_draft);
    results[i] = {};
    results[i].no_speech_prob = std::numeric_limits<float>::quiet_NaN();
    if (steps[i].no_speech_row >= 0) {
      const float* raw = logits_.data() + no_speech++ * static_cast<size_t>(shape.vocabulary);
      results[i].no_speech_prob =
          std::exp(raw[shape.no_speech] - row_kernels().log_sum_exp(raw, shape.vocabulary));
    }
  }
}

// logits_ -> choices_ for the tokens and drafts of all steps -> results.
void Decoder::choose(const am_step* steps, am_step_result* results, int n) {
  struct Row {
    const am_step* step;
    int length;  // of the sequence before the choice
  };
  std::vector<Row> rows;
  for (int i = 0; i < n; i++)
    for (int j = steps[i].n_draft; j >= 0; j--) rows.push_back({&steps[i], at(steps[i].slot).length() - j});
  choices_.resize(std::max(choices_.size(), rows.size()));
  team_.run(static_cast<int>(rows.size()), [&](int i, int) {
    const auto [step, length] = rows[static_cast<size_t>(i)];
    float* logits = logits_.data() + static_cast<size_t>(i) * static_cast<size_t>(w_->shape.vocabulary);
    if (step->raw_logits != nullptr) std::copy_n(logits, w_->shape.vocabulary, step->raw_logits);
    choices_[static_cast<size_t>(i)] = {};
    choose_token(*step, *slots_[static_cast<size_t>(step->slot)], length, special(w_->shape), logits,
                 choices_[static_cast<size_t>(i)]);
  });
  const am_step_result* choices = choices_.data();
  for (int i = 0; i < n; i++) {
    settle(steps[i], choices, results[i]);
    choices += 1 + steps[i].n_draft;
  }
}

// Keeps of a step's draft what was chosen.
void Decoder::settle(const am_step& step, const am_step_result* choices, am_step_result& result) {
  const float no_speech_prob = result.no_speech_prob;
  int confirmed = 0;
  while (confirmed < step.n_draft && choices[confirmed].token == step.draft[confirmed]) confirmed++;
  result = choices[confirmed];
  result.no_speech_prob = no_speech_prob;
  result.n_confirmed = confirmed;
  for (int i = 0; i < confirmed; i++) {
    result.confirmed_logprobs[i] = choices[i].logprob;
    result.confirmed_margins[i] = choices[i].margin;
  }
  Sequence& s = at(step.slot);
  s.tokens.resize(s.tokens.size() - static_cast<size_t>(step.n_draft - confirmed));
  s.owner.resize(s.tokens.size());
  stats_.tokens += 1 + confirmed;
  stats_.drafted += step.n_draft;
  stats_.confirmed += confirmed;
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
  rows_.assign(1, {s.get(), shape.sot, 0, nullptr, true});
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
  for (int i = 0; i < n; i++) check_align(requests[i], w_->shape);
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
      rows_.push_back({s, token, position, &sink, true});
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
