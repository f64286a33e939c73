package dev.amanuensis.engine;

/** Parts of a model that can compute in an arithmetic of their own (am_part, by ordinal). */
public enum ModelPart {
  /** Projections and MLP of the encoder. */
  ENCODER,
  /** Projections and self-attention K/V. */
  DECODER,
  /** The vocabulary projection. */
  LOGITS,
  /** K/V of cross-attention and the projection that computes them. */
  CROSS_KV,
  /** Attention and convolutions of the encoder; in f32 with {@link #ENCODER} too. */
  ATTENTION
}
