package dev.amanuensis.worker.source.reference;

import java.net.IDN;
import java.util.List;
import java.util.Locale;

/** The hosts that https: references may name: {@code host}, {@code host:port}, {@code *.domain}. */
final class HostList {
  private static final int DEFAULT_PORT = 443;

  private final List<Entry> entries;

  private record Entry(String host, int port) {
    boolean allows(String otherHost, int otherPort) {
      boolean same =
          host.startsWith("*.") ? otherHost.endsWith(host.substring(1)) : otherHost.equals(host);
      return same && port == otherPort;
    }
  }

  /**
   * @throws IllegalArgumentException for an entry that is no host
   */
  HostList(List<String> hosts) {
    entries = hosts.stream().map(HostList::entry).toList();
  }

  private static Entry entry(String text) {
    int colon = text.lastIndexOf(':');
    boolean hasPort = colon > 0 && !text.endsWith("]");
    String host = hasPort ? text.substring(0, colon) : text;
    int port = hasPort ? port(text) : DEFAULT_PORT;
    return new Entry(
        host.startsWith("*.") ? "*." + canonical(host.substring(2)) : canonical(host), port);
  }

  private static int port(String text) {
    try {
      return Integer.parseInt(text.substring(text.lastIndexOf(':') + 1));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "'" + text + "' is no host; write it as host, host:port or *.domain", e);
    }
  }

  /**
   * @param host canonical
   * @param port -1 for the default
   */
  boolean allows(String host, int port) {
    int actual = port < 0 ? DEFAULT_PORT : port;
    return entries.stream().anyMatch(e -> e.allows(host, actual));
  }

  /**
   * Lower case, without a final dot, in ASCII.
   *
   * @throws IllegalArgumentException if it can't be a host's name
   */
  static String canonical(String host) {
    String bare = host.endsWith(".") ? host.substring(0, host.length() - 1) : host;
    return (bare.startsWith("[") ? bare : IDN.toASCII(bare)).toLowerCase(Locale.ROOT);
  }
}
