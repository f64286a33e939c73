package dev.amanuensis.worker.admin;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class HostGuardTest {
  @Test
  void onTheLoopbackOnlyItsNamesAreRight() {
    HostGuard guard = new HostGuard("127.0.0.1", List.of());
    for (String host : List.of("localhost", "LOCALHOST:9050", "127.0.0.1:9050", "[::1]:9050")) {
      assertThat(guard.accepts(host)).as(host).isTrue();
    }
    for (String host : List.of("evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "")) {
      assertThat(guard.accepts(host)).as(host).isFalse();
    }
    assertThat(guard.accepts(null)).isFalse();
  }

  @Test
  void furtherNamesCanBeAllowed() {
    HostGuard guard = new HostGuard("127.0.0.1", List.of("ops.example"));
    assertThat(guard.accepts("ops.example:443")).isTrue();
    assertThat(guard.accepts("localhost")).isTrue();
    assertThat(guard.accepts("other.example")).isFalse();
  }

  @Test
  void onOtherAddressesEveryNameIsRightUnlessNamesAreGiven() {
    assertThat(new HostGuard("0.0.0.0", List.of()).accepts("worker-3:9050")).isTrue();
    HostGuard named = new HostGuard("0.0.0.0", List.of("worker-3"));
    assertThat(named.accepts("worker-3:9050")).isTrue();
    assertThat(named.accepts("evil.example")).isFalse();
  }
}
