// Packed weights of the encoder; internal to encoder/.
#pragma once
#include <cstring>
#include <vector>

#include "encoder/attention.h"
#include "encoder/encoder.h"

namespace amanuensis {

/// The first convolution's weights as a matrix (out, kernel, in), in bf16 or f32.
struct Convolution {
  AlignedArray<uint8_t> packed;
  AlignedArray<float> bias;
};

inline uint16_t to_bf16(float f) {
  uint32_t u;
  std::memcpy(&u, &f, 4);
  return static_cast<uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
}

struct Norm {
  AlignedArray<float> gamma, beta;
};

struct Block {
  Norm attention_norm, mlp_norm;
  LinearWeights qkv, out, fc1, fc2;
};

class EncoderWeights {
 public:
  EncoderShape shape;
  Arithmetic arithmetic = Arithmetic::kF32;  // of the projections and the MLP
  AttentionKind attention = AttentionKind::kF32;
  bool half = false;  // bf16 attention and first convolution
  PaddingPolicy padding;
  Convolution conv1;
  LinearWeights conv2;            // (out, kernel, in); int8 or f32
  AlignedArray<float> positions;  // context x state
  std::vector<Block> blocks;
  Norm final_norm;
  size_t bytes = 0;
};

}  // namespace amanuensis
