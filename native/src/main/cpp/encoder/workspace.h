// What one thread of the encoder needs; internal to encoder/.
#pragma once
#include "device/cpu/matmul.h"
#include "device/cpu/memory.h"
#include "encoder/attention.h"
#include "encoder/encoder_weights.h"

namespace amanuensis {

/// Kernels (oneDNN scratchpads are per object) and block-sized scratch that stays in L2.
struct Workspace {
  Workspace(const EncoderWeights& w, int rows)
      : Workspace(w.shape, w.arithmetic, w.conv2.arithmetic, w.half, w.attention, rows) {}
  Workspace(const EncoderShape& s, Arithmetic a, Arithmetic conv, bool half, AttentionKind kind, int rows)
      : rows(rows),
        conv1(type(half), type(half), Matmul::Type::f32, rows, 3 * s.mels, s.state, 3 * s.mels, s.state),
        conv2(input(conv), input(conv), output(conv), rows, 3 * s.state, s.state, 3 * s.state,
              apart(s.state)),
        qkv(input(a), input(a), output(a), rows, s.state, 3 * s.state, s.state, apart(3 * s.state)),
        out(input(a), input(a), output(a), rows, s.state, s.state, s.state, apart(s.state)),
        fc1(input(a), input(a), output(a), rows, s.state, 4 * s.state, s.state, apart(4 * s.state)),
        fc2(input(a), input(a), output(a), rows, 4 * s.state, s.state, apart(4 * s.state), apart(s.state)),
        narrow(static_cast<size_t>(rows) * s.state * 4),
        wide(static_cast<size_t>(rows) * apart(4 * s.state) * 4),
        acc(static_cast<size_t>(rows) * apart(4 * s.state)),
        row(static_cast<size_t>(s.state) * 4),
        scale(static_cast<size_t>(rows)),
        shift(static_cast<size_t>(rows)),
        patch(static_cast<size_t>(rows) * s.mels * 3 * 4),
        attention(kind, s.context, s.heads, rows) {}
  /// Elements from a row of sums, or of fc2's input, to the next: rows a power of two apart would share a few
  /// sets of the caches.
  static size_t apart(int n) { return static_cast<size_t>(n) + 64; }
  static Matmul::Type input(Arithmetic a) {
    return a == Arithmetic::kInt8 ? Matmul::Type::s8 : Matmul::Type::f32;
  }
  static Matmul::Type output(Arithmetic a) {
    return a == Arithmetic::kInt8 ? Matmul::Type::s32 : Matmul::Type::f32;
  }
  static Matmul::Type type(bool half) { return half ? Matmul::Type::bf16 : Matmul::Type::f32; }
  int rows;
  Matmul conv1, conv2, qkv, out, fc1, fc2;
  AlignedArray<uint8_t> narrow, wide;  // inputs of the GEMMs: rows x state, rows x apart(4 state)
  AlignedArray<int32_t> acc;           // rows x apart(n) of s32 or f32
  AlignedArray<float> row, scale, shift;
  AlignedArray<uint8_t> patch;  // rows x 3 mels of bf16 or f32
  AttentionScratch attention;
};

}  // namespace amanuensis
