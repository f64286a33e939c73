package dev.amanuensis.worker.source.reference;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class HostListTest {
  private final HostList hosts =
      new HostList(List.of("media.example.com", "cdn.example.com:8443", "*.Store.example"));

  private boolean allows(String host, int port) {
    return hosts.allows(HostList.canonical(host), port);
  }

  @Test
  void namesAreComparedAsHostsAre() {
    assertThat(allows("MEDIA.example.com", -1)).isTrue();
    assertThat(allows("media.example.com.", 443)).isTrue();
    assertThat(allows("evil-media.example.com", -1)).isFalse();
    assertThat(allows("media.example.com.evil.net", -1)).isFalse();
  }

  @Test
  void portsMustBeListed() {
    assertThat(allows("media.example.com", 22)).isFalse();
    assertThat(allows("cdn.example.com", 8443)).isTrue();
    assertThat(allows("cdn.example.com", -1)).isFalse();
  }

  @Test
  void aStarStandsForTheHostsBelowADomain() {
    assertThat(allows("a.store.example", -1)).isTrue();
    assertThat(allows("a.b.store.example", -1)).isTrue();
    assertThat(allows("store.example", -1)).isFalse();
    assertThat(allows("evilstore.example", -1)).isFalse();
  }
}
