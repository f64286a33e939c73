#include "device/xdna2/known_answers.h"

#include <chrono>
#include <cstring>

#include "device/plain_gemm.h"

namespace amanuensis {

namespace {
// Neither operand is symmetric in rows and columns, a third of the values are extremes, the rest is signed: a
// transposed operand, a lost sign, a saturated pair of products or a slice taken twice all change the sums.
void fill(int8_t* values, int64_t n, uint32_t seed) {
  uint32_t state = seed;
  for (int64_t i = 0; i < n; i++) {
    state = state * 1664525u + 1013904223u;
    const uint32_t r = state >> 16;
    values[i] = static_cast<int8_t>(r % 3 == 0 ? (r & 64 ? 127 : -127) : static_cast<int>(r % 255) - 127);
  }
}

// The first rows are all extremes of one sign: the largest sums there are.
void fill_left(std::vector<int8_t>& a, int64_t k) {
  fill(a.data(), static_cast<int64_t>(a.size()), 1u);
  std::memset(a.data(), 127, static_cast<size_t>(k));
  std::memset(a.data() + k, -127, static_cast<size_t>(k));
}

LinearWeights question(int64_t k, int64_t n) {
  LinearWeights w;
  w.k = k;
  w.n = n;
  w.id = uint64_t{1} << 63 | static_cast<uint64_t>(k) << 32 | static_cast<uint64_t>(n);
  w.plain = AlignedArray<int8_t>(static_cast<size_t>(n * k));
  fill(w.plain.data(), n * k, 2u + static_cast<uint32_t>(n));
  std::memset(w.plain.data(), 127, static_cast<size_t>(k));
  std::memset(w.plain.data() + k, -127, static_cast<size_t>(k));
  return w;
}

void ask(NpuSession& session, const x2_slot& slot, int64_t k, int64_t n, int64_t rows, int timeout_ms) {
  const NpuPlan p = session.plan(k, n, rows);
  const LinearWeights w = question(k, n);
  std::vector<int8_t> a(static_cast<size_t>(rows * k));
  fill_left(a, k);
  for (int64_t r = 0; r < rows; r++)
    for (int64_t s = 0; s < p.slices; s++)
      std::memcpy(slot.a + (s * p.m + r) * p.k, a.data() + r * k + s * p.k, static_cast<size_t>(p.k));
  session.send(slot, p, rows);
  session.start(slot, p, w);
  const auto begun = std::chrono::steady_clock::now();
  while (!session.wait(slot, 100))
    if (std::chrono::steady_clock::now() - begun > std::chrono::milliseconds(timeout_ms))
      throw NpuFailure("no answer within " + std::to_string(timeout_ms) + " ms to a known question");
  session.fetch(slot, p, rows);
  const RowCheck check(w.plain.data(), n, k, 7);
  std::vector<int32_t> sums(static_cast<size_t>(n)), exact(static_cast<size_t>(n));
  const auto name = "(" + std::to_string(p.m) + ", " + std::to_string(k) + ", " + std::to_string(n) + ")";
  for (int64_t r = 0; r < rows; r++) {
    std::memcpy(sums.data(), slot.c + r * n, sums.size() * 4);
    for (int64_t s = 1; s < p.slices; s++)
      for (int64_t j = 0; j < n; j++) sums[static_cast<size_t>(j)] += slot.c[(s * p.m + r) * n + j];
    bool right = check.agrees(sums.data(), check.expected(a.data() + r * k));
    if (right && (r < 2 || r % 97 == 0)) {
      plain_gemm(a.data() + r * k, 1, w.plain.data(), n, k, exact.data());
      right = exact == sums;
    }
    if (!right)
      throw NpuFailure("wrong sums in row " + std::to_string(r) + " of the known answer of " + name);
  }
}
}  // namespace

void ask_known_answers(NpuSession& session, const std::vector<NpuProgram>& programs, int timeout_ms) {
  const x2_slot slot = session.new_slot();
  for (const auto& p : programs) ask(session, slot, p.k, p.n, p.m, timeout_ms);
  for (const auto& p : programs) {
    const int64_t k = p.k * NpuSession::kMaxSlices;
    if (session.plan(k, p.n, p.m).slices == NpuSession::kMaxSlices && p.n == p.k)
      ask(session, slot, k, p.n, p.m, timeout_ms);
  }
  session.give_back(slot);
}

}  // namespace amanuensis
