package dev.amanuensis.worker.admin;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Collection;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;

/**
 * Decides by the Host header whether a request is meant for this server. A web page can make a
 * browser look its own name up as 127.0.0.1 and so talk to servers on the loopback (DNS rebinding);
 * the header still has the page's name.
 */
public final class HostGuard {
  private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "[::1]");

  private final Set<String> allowed = new HashSet<>();
  private final boolean any;

  /**
   * @param bound address that the server listens on; other than loopback any name is right unless
   *     names are given
   */
  public HostGuard(String bound, Collection<String> names) {
    names.forEach(n -> allowed.add(n.toLowerCase(Locale.ROOT)));
    this.any = allowed.isEmpty() && !isLoopback(bound);
    allowed.addAll(LOOPBACK);
    allowed.add(bound.toLowerCase(Locale.ROOT));
  }

  /**
   * @param header of the request, with or without a port, or null
   */
  public boolean accepts(String header) {
    if (any) {
      return true;
    }
    if (header == null) {
      return false;
    }
    String name = header.strip().toLowerCase(Locale.ROOT);
    int port = name.lastIndexOf(':');
    if (port > name.lastIndexOf(']')) {
      name = name.substring(0, port);
    }
    return allowed.contains(name);
  }

  private static boolean isLoopback(String host) {
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException e) {
      return false; // binding will say what is wrong
    }
  }
}
