package dev.amanuensis.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class NativeHandleTest {
  private final List<Long> freed = new ArrayList<>();

  @Test
  void closeDuringACallFreesWhenTheCallReturns() {
    NativeHandle handle = new NativeHandle("x", 42, false, freed::add);
    assertThat(handle.enter()).isEqualTo(42);
    handle.enter();
    handle.close();
    assertThatThrownBy(handle::enter).hasMessage("x is closed");
    handle.exit();
    assertThat(freed).isEmpty();
    handle.exit();
    assertThat(freed).containsExactly(42L);
  }

  @Test
  void closingTwiceFreesOnce() {
    NativeHandle handle = new NativeHandle("x", 42, false, freed::add);
    handle.close();
    handle.close();
    assertThat(freed).containsExactly(42L);
  }

  @Test
  void exclusiveHandleRefusesASecondThread() {
    NativeHandle handle = new NativeHandle("the lane", 42, true, freed::add);
    handle.enter();
    assertThatThrownBy(handle::enter).hasMessage("the lane is in use by another thread");
    handle.exit();
    assertThat(handle.enter()).isEqualTo(42);
  }
}
