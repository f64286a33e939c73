package dev.amanuensis.worker.source.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AddressRulesTest {
  private final AddressRules rules = new AddressRules(List.of());

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1"
      })
  void addressesThatAreNotPublicAreRefused(String address) throws UnknownHostException {
    assertThat(rules.allows(InetAddress.getByName(address))).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1.1.1.1",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "::ffff:8.8.8.8",
        "2606:4700:4700::1111",
        "2a00:1450:4001::1"
      })
  void publicAddressesAreTaken(String address) throws UnknownHostException {
    assertThat(rules.allows(InetAddress.getByName(address))).isTrue();
  }

  @Test
  void privateNetworksAreTakenWhereTheOperatorNamesThem() throws UnknownHostException {
    AddressRules some =
        new AddressRules(List.of(Cidr.parse("10.1.0.0/16"), Cidr.parse("fd00::/8")));
    assertThat(some.allows(InetAddress.getByName("10.1.9.9"))).isTrue();
    assertThat(some.allows(InetAddress.getByName("fd12::1"))).isTrue();
    assertThat(some.allows(InetAddress.getByName("10.2.0.1"))).isFalse();
    assertThat(some.allows(InetAddress.getByName("127.0.0.1"))).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/x", "host/8", "fd00::/129"})
  void whatIsNoNetworkIsToldSo(String text) {
    assertThatThrownBy(() -> Cidr.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("10.0.0.0/8");
  }
}
