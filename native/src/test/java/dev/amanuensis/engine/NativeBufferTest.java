package dev.amanuensis.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class NativeBufferTest {

  @Test
  void isZeroedAndPageAligned() {
    try (NativeBuffer buffer = NativeBuffer.allocate(10_000)) {
      assertThat(buffer.address() % 4096).isZero();
      assertThat(buffer.size()).isEqualTo(10_000);
      for (int i = 0; i < 10_000; i++) {
        assertThat(buffer.bytes().get(i)).isZero();
      }
      buffer.floats().put(7, 1.5f);
      assertThat(buffer.bytes().getFloat(28)).isEqualTo(1.5f);
    }
  }

  @Test
  void refusesUseAfterClose() {
    NativeBuffer buffer = NativeBuffer.allocate(16);
    buffer.close();
    buffer.close();
    assertThatThrownBy(buffer::address).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(buffer::bytes).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void refusesImpossibleSizes() {
    assertThatThrownBy(() -> NativeBuffer.allocate(0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> NativeBuffer.allocate(1L << 31))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
