package dev.amanuensis.engine;

import java.time.Duration;

/** Time that this process spent in matrix products on the CPU, since it started. */
public final class ProductTime {
  private ProductTime() {}

  /** Of encoders, all of their threads together. */
  public static Duration ofEncoders() {
    return Duration.ofNanos(Abi.am_product_nanos(0));
  }

  /** Of decoders; a batch's threads count once. */
  public static Duration ofDecoders() {
    return Duration.ofNanos(Abi.am_product_nanos(1));
  }
}
