package dev.amanuensis.worker.source.reference;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Arrays;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.ManagedHttpClientConnectionFactory;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.ssl.DefaultClientTlsStrategy;
import org.apache.hc.client5.http.ssl.TlsSocketStrategy;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.ssl.SSLContexts;
import org.apache.hc.core5.util.Timeout;

/**
 * An HTTP client that connects to allowed addresses only. Names are resolved here, and a connection
 * goes to the very addresses that were checked; once it stands, the peer's address is checked again
 * before TLS begins. Host names and certificates are verified as in any browser. No redirects, no
 * proxies, no cookies, no retries, no decompression.
 */
final class HttpsClient {
  private static final int MAX_HEADER_LINE = 8192;
  private static final int MAX_HEADERS = 100;

  private HttpsClient() {}

  /** A connection that was not made because of where it leads. */
  static final class ForbiddenAddressException extends IOException {
    private static final long serialVersionUID = 1L;

    ForbiddenAddressException(String host) {
      super(host + " has no address that this worker may connect to: only public ones are taken");
    }
  }

  static CloseableHttpClient create(
      AddressRules rules, SSLContext tls, Duration connectTimeout, Duration readTimeout) {
    ConnectionConfig connections =
        ConnectionConfig.custom()
            .setConnectTimeout(Timeout.of(connectTimeout))
            .setSocketTimeout(Timeout.of(readTimeout))
            .build();
    Http1Config http =
        Http1Config.custom()
            .setMaxLineLength(MAX_HEADER_LINE)
            .setMaxHeaderCount(MAX_HEADERS)
            .build();
    return HttpClients.custom()
        .setConnectionManager(
            PoolingHttpClientConnectionManagerBuilder.create()
                .setDnsResolver(new CheckedResolver(rules))
                .setTlsSocketStrategy(new CheckedTls(rules, new DefaultClientTlsStrategy(tls)))
                .setDefaultConnectionConfig(connections)
                .setConnectionFactory(
                    ManagedHttpClientConnectionFactory.builder().http1Config(http).build())
                .build())
        .setDefaultRequestConfig(
            RequestConfig.custom()
                .setResponseTimeout(Timeout.of(readTimeout))
                .setConnectionRequestTimeout(Timeout.of(connectTimeout))
                .build())
        // Each fetch connects anew, so that each is checked.
        .setConnectionReuseStrategy((request, response, context) -> false)
        .disableRedirectHandling()
        .disableAutomaticRetries()
        .disableContentCompression()
        .disableCookieManagement()
        .disableAuthCaching()
        .setUserAgent("amanuensis")
        .build();
  }

  /**
   * @param authorities PEM file to trust, or null for Java's own
   * @throws IllegalArgumentException if the file can't be used
   */
  static SSLContext tls(Path authorities) {
    if (authorities == null) {
      return SSLContexts.createSystemDefault();
    }
    try (InputStream pem = Files.newInputStream(authorities)) {
      KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
      trusted.load(null, null);
      int count = 0;
      for (Certificate c : CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
        trusted.setCertificateEntry("ca-" + count++, c);
      }
      if (count == 0) {
        throw new IllegalArgumentException(authorities + " holds no certificate");
      }
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(trusted);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, trust.getTrustManagers(), null);
      return context;
    } catch (IOException | GeneralSecurityException e) {
      throw new IllegalArgumentException(authorities + " can't be used: " + e, e);
    }
  }

  /** Resolves to allowed addresses; a name that also leads elsewhere is not trusted at all. */
  private record CheckedResolver(AddressRules rules) implements DnsResolver {
    @Override
    public InetAddress[] resolve(String host) throws UnknownHostException {
      InetAddress[] addresses = InetAddress.getAllByName(host);
      if (!Arrays.stream(addresses).allMatch(rules::allows)) {
        throw (UnknownHostException)
            new UnknownHostException(host).initCause(new ForbiddenAddressException(host));
      }
      return addresses;
    }

    @Override
    public String resolveCanonicalHostname(String host) {
      return host; // used for Kerberos only
    }
  }

  private record CheckedTls(AddressRules rules, TlsSocketStrategy inner)
      implements TlsSocketStrategy {
    @Override
    public SSLSocket upgrade(
        Socket socket, String target, int port, Object attachment, HttpContext context)
        throws IOException {
      if (socket.getInetAddress() == null || !rules.allows(socket.getInetAddress())) {
        throw new ForbiddenAddressException(target);
      }
      return inner.upgrade(socket, target, port, attachment, context);
    }
  }
}
