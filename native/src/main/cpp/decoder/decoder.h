// The decoder: one step serves the rows of all live sequences.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "capi/amanuensis.h"
#include "decoder/forward.h"
#include "decoder/sequences.h"

namespace amanuensis {

/// What the C ABI's am_decoder does, with the same rules for slots, pointers and errors (thrown: see
/// model/errors.h). For one thread at a time.
class Decoder {
 public:
  Decoder(std::shared_ptr<const DecoderWeights> weights, int max_slots, int threads);
  int open(const void* cross_kv, const am_slot_options& options);
  int fork(int source);
  void reorder(const int32_t* slots, const int32_t* sources, int n);
  void close(int slot);
  void step(const am_step* steps, am_step_result* results, int n);
  void detect_language(const void* cross_kv, float* probabilities);
  void align(const am_align_request* requests, int n);
  /// Threads of the steps from now on at most, 1 to those given to the constructor. Changes no bit of the
  /// results.
  void use_threads(int threads);
  int most_threads() const { return most_threads_; }
  /// Of these threads, so many for the next call. The caller claims their cores (CoreLoad).
  void use_now(int threads) { team_.use(threads); }
  am_decoder_stats stats() const;

 private:
  Sequence& at(int slot);
  int free_slot() const;
  std::unique_ptr<Sequence> new_sequence(const void* cross_kv);
  void gather(const am_step* steps, int n);
  void run_wanted();
  void advance(const am_step* steps, am_step_result* results, int n);
  void choose(const am_step* steps, am_step_result* results, int n);
  void settle(const am_step& step, const am_step_result* choices, am_step_result& result);
  void count_products();
  void align_together(const am_align_request* requests, int n);
  void text_probabilities(const am_align_request& request, const float* hidden);

  std::shared_ptr<const DecoderWeights> w_;
  SelfCachePool pool_;
  std::vector<std::unique_ptr<Sequence>> slots_;
  int most_threads_;
  Team team_;
  ForwardPass forward_;
  am_decoder_stats stats_{};
  int64_t counted_products_ = 0;  // nanoseconds in products that product_time() knows of
  // Scratch that grows to the largest step seen.
  std::vector<ForwardRow> rows_;
  std::vector<int> wanted_;                    // rows whose logits are needed
  std::vector<am_step_result> choices_;        // of the rows behind each step's tokens and its draft's
  std::vector<float> hidden_, wanted_hidden_;  // rows x state
  std::vector<float> logits_;                  // rows x vocabulary
  std::vector<float> scores_;                  // of the alignment heads: see ScoreSink
};

}  // namespace amanuensis
