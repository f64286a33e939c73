package dev.amanuensis.worker.source.reference;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.List;
import java.util.stream.Stream;

/**
 * Which addresses a reference may lead to: public ones (IANA's special-purpose registries, RFC
 * 6890), and private networks that the operator named.
 */
class AddressRules {
  private static final List<Cidr> NOT_PUBLIC_V4 =
      cidrs(
          "0.0.0.0/8", // this network
          "10.0.0.0/8", // private
          "100.64.0.0/10", // carrier-grade NAT
          "127.0.0.0/8", // loopback
          "169.254.0.0/16", // link-local, clouds' metadata services
          "172.16.0.0/12", // private
          "192.0.0.0/24", // protocol assignments
          "192.0.2.0/24", // documentation
          "192.88.99.0/24", // 6to4 relays
          "192.168.0.0/16", // private
          "198.18.0.0/15", // benchmarks
          "198.51.100.0/24", // documentation
          "203.0.113.0/24", // documentation
          "224.0.0.0/4", // multicast
          "240.0.0.0/4"); // reserved, broadcast

  /** Everything else in IPv6 (loopback, unique-local, mapped, NAT64 and so on) is not public. */
  private static final Cidr GLOBAL_V6 = Cidr.parse("2000::/3");

  private static final List<Cidr> NOT_PUBLIC_V6 =
      cidrs(
          "2001::/23", // protocol assignments; Teredo, which carries IPv4
          "2001:db8::/32", // documentation
          "2002::/16", // 6to4, which carries IPv4
          "3fff::/20"); // documentation

  private final List<Cidr> privateNetworks;

  AddressRules(List<Cidr> privateNetworks) {
    this.privateNetworks = privateNetworks;
  }

  boolean allows(InetAddress address) {
    return isPublic(address) || privateNetworks.stream().anyMatch(n -> n.contains(address));
  }

  private static boolean isPublic(InetAddress address) {
    if (address instanceof Inet4Address) {
      return NOT_PUBLIC_V4.stream().noneMatch(n -> n.contains(address));
    }
    return address instanceof Inet6Address
        && GLOBAL_V6.contains(address)
        && NOT_PUBLIC_V6.stream().noneMatch(n -> n.contains(address));
  }

  private static List<Cidr> cidrs(String... texts) {
    return Stream.of(texts).map(Cidr::parse).toList();
  }
}
