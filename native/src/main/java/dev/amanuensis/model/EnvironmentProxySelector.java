package dev.amanuensis.model;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Proxies as the Java system properties say, else as the usual environment variables say
 * (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY, in upper or lower case).
 */
final class EnvironmentProxySelector extends ProxySelector {
  private final Map<String, String> environment;

  EnvironmentProxySelector(Map<String, String> environment) {
    this.environment = environment;
  }

  @Override
  public List<Proxy> select(URI uri) {
    String scheme = uri.getScheme().toLowerCase(Locale.ROOT);
    if (System.getProperty(scheme + ".proxyHost") != null) {
      return ProxySelector.getDefault().select(uri);
    }
    String proxy = variable(scheme + "_proxy");
    if (proxy.isEmpty()) {
      proxy = variable("all_proxy");
    }
    if (proxy.isEmpty() || isExcluded(uri.getHost())) {
      return List.of(Proxy.NO_PROXY);
    }
    URI address = URI.create(proxy.contains("://") ? proxy : "http://" + proxy);
    if (address.getHost() == null) {
      return List.of(Proxy.NO_PROXY);
    }
    int port = address.getPort() >= 0 ? address.getPort() : 80;
    return List.of(
        new Proxy(Proxy.Type.HTTP, InetSocketAddress.createUnresolved(address.getHost(), port)));
  }

  private boolean isExcluded(String host) {
    for (String entry : variable("no_proxy").split(",")) {
      String name = entry.strip().replaceFirst("^\\*?\\.", "");
      if (name.equals("*") || !name.isEmpty() && (host.equals(name) || host.endsWith("." + name))) {
        return true;
      }
    }
    return false;
  }

  private String variable(String lowerCase) {
    String value = environment.get(lowerCase);
    if (value == null) {
      value = environment.get(lowerCase.toUpperCase(Locale.ROOT));
    }
    return value == null ? "" : value.strip();
  }

  @Override
  public void connectFailed(URI uri, SocketAddress address, IOException failure) {
    // The request itself reports the failure.
  }
}
