package dev.amanuensis.worker.source.reference;

import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/** An HTTPS server on the loopback interface with a certificate of its own making. */
final class TlsServer implements AutoCloseable {
  private static final char[] PASSWORD = "changeit".toCharArray();

  private final HttpsServer server;
  private final ExecutorService executor = Executors.newCachedThreadPool();
  private final Path certificate;

  /**
   * @param names that the certificate is for
   */
  TlsServer(Path directory, List<String> names) throws IOException, InterruptedException {
    try {
      KeyStore keys = keys(directory.resolve("keys.p12"), names);
      certificate = directory.resolve("ca.pem");
      String encoded =
          Base64.getMimeEncoder().encodeToString(keys.getCertificate("k").getEncoded());
      Files.writeString(
          certificate, "-----BEGIN CERTIFICATE-----\n" + encoded + "\n-----END CERTIFICATE-----\n");
      KeyManagerFactory managers = KeyManagerFactory.getInstance("PKIX");
      managers.init(keys, PASSWORD);
      SSLContext tls = SSLContext.getInstance("TLS");
      tls.init(managers.getKeyManagers(), null, null);
      server = HttpsServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
      server.setHttpsConfigurator(new HttpsConfigurator(tls));
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
    server.setExecutor(executor);
    server.start();
  }

  private static KeyStore keys(Path file, List<String> names)
      throws IOException, InterruptedException, GeneralSecurityException {
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "k",
                "-keyalg",
                "EC",
                "-validity",
                "3650",
                "-dname",
                "CN=test",
                "-ext",
                "SAN=" + String.join(",", names),
                "-ext",
                "BC=ca:true",
                "-keystore",
                file.toString(),
                "-storepass",
                new String(PASSWORD))
            .inheritIO()
            .start();
    if (keytool.waitFor() != 0) {
      throw new IOException("keytool failed");
    }
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(file)) {
      keys.load(in, PASSWORD);
    }
    return keys;
  }

  void handle(String path, HttpHandler handler) {
    server.createContext(path, handler);
  }

  int port() {
    return server.getAddress().getPort();
  }

  URI uri(String host, String pathAndQuery) {
    return URI.create("https://" + host + ":" + port() + pathAndQuery);
  }

  /** PEM. */
  Path certificate() {
    return certificate;
  }

  @Override
  public void close() {
    server.stop(0);
    executor.shutdownNow();
  }
}
