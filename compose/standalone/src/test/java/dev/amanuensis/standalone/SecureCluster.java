package dev.amanuensis.standalone;

import com.sun.net.httpserver.BasicAuthenticator;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import dev.amanuensis.broker.EmbeddedBroker;
import dev.amanuensis.broker.RegistryServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/**
 * A broker that takes SASL over TLS only and grants nothing without an ACL, and a registry behind
 * HTTPS and a password. Every password is {@link #SECRET} and the user's name.
 */
final class SecureCluster implements AutoCloseable {
  /** Part of every password, so that a test can look for it where it must not be. */
  static final String SECRET = "s3cr3t-0f-";

  static final String ADMIN = "admin";
  private static final List<String> USERS =
      List.of(ADMIN, "producer", "worker", "reader", "operator");
  private static final String STORE_PASSWORD = SECRET + "stores";

  private final Path directory;
  private final ExecutorService executor = Executors.newCachedThreadPool();
  private final HttpClient http = HttpClient.newHttpClient();
  private final EmbeddedBroker broker;
  private final RegistryServer registry;
  private final HttpsServer front;

  SecureCluster(Path directory) throws Exception {
    this.directory = directory;
    keytool(
        "-genkeypair",
        "-alias",
        "k",
        "-keyalg",
        "EC",
        "-dname",
        "CN=localhost",
        "-validity",
        "30",
        "-ext",
        "SAN=dns:localhost,ip:127.0.0.1",
        "-keystore",
        path("keys.p12"));
    keytool(
        "-exportcert",
        "-alias",
        "k",
        "-rfc",
        "-file",
        path("ca.pem"),
        "-keystore",
        path("keys.p12"));
    keytool(
        "-importcert",
        "-noprompt",
        "-alias",
        "ca",
        "-file",
        path("ca.pem"),
        "-keystore",
        path("trust.p12"));
    broker = new EmbeddedBroker(directory.resolve("kafka"), 0, brokerSettings());
    registry = new RegistryServer(directory.resolve("registry"), 0);
    broker.start();
    registry.start();
    front = front();
  }

  private String path(String name) {
    return directory.resolve(name).toString();
  }

  private void keytool(String... arguments) throws IOException, InterruptedException {
    List<String> command = new java.util.ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of(arguments));
    command.addAll(List.of("-storetype", "PKCS12", "-storepass", STORE_PASSWORD));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    if (process.waitFor() != 0) {
      throw new IOException("keytool failed: " + List.of(arguments));
    }
  }

  private Map<String, String> brokerSettings() {
    StringBuilder jaas =
        new StringBuilder("org.apache.kafka.common.security.plain.PlainLoginModule required")
            .append(" username=\"admin\" password=\"" + SECRET + "admin\"");
    USERS.forEach(u -> jaas.append(" user_" + u + "=\"" + SECRET + u + "\""));
    Map<String, String> c = new HashMap<>();
    c.put("listener.security.protocol.map", "CLIENTS:SASL_SSL,CONTROLLER:PLAINTEXT");
    c.put("sasl.enabled.mechanisms", "PLAIN");
    c.put("sasl.mechanism.inter.broker.protocol", "PLAIN");
    c.put("listener.name.clients.plain.sasl.jaas.config", jaas + ";");
    c.put("ssl.keystore.location", path("keys.p12"));
    c.put("ssl.keystore.type", "PKCS12");
    c.put("ssl.keystore.password", STORE_PASSWORD);
    c.put("ssl.key.password", STORE_PASSWORD);
    c.put("ssl.truststore.location", path("trust.p12"));
    c.put("ssl.truststore.type", "PKCS12");
    c.put("ssl.truststore.password", STORE_PASSWORD);
    c.put("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer");
    // The controller's listener is the broker's own; nobody is anonymous at the clients'.
    c.put("super.users", "User:admin;User:ANONYMOUS");
    c.put("allow.everyone.if.no.acl.found", "false");
    return c;
  }

  /** TLS and a password before the registry, as a proxy would do it. */
  private HttpsServer front() throws IOException, GeneralSecurityException {
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(directory.resolve("keys.p12"))) {
      keys.load(in, STORE_PASSWORD.toCharArray());
    }
    KeyManagerFactory managers = KeyManagerFactory.getInstance("PKIX");
    managers.init(keys, STORE_PASSWORD.toCharArray());
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(managers.getKeyManagers(), null, null);
    HttpsServer server =
        HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setHttpsConfigurator(new HttpsConfigurator(tls));
    server.setExecutor(executor);
    server
        .createContext("/", this::forward)
        .setAuthenticator(
            new BasicAuthenticator("registry") {
              @Override
              public boolean checkCredentials(String user, String password) {
                return USERS.contains(user) && password.equals(SECRET + user);
              }
            });
    server.start();
    return server;
  }

  private void forward(HttpExchange exchange) throws IOException {
    try (exchange) {
      HttpResponse<byte[]> answer =
          http.send(
              HttpRequest.newBuilder(URI.create(registry.url() + exchange.getRequestURI()))
                  .method(
                      exchange.getRequestMethod(),
                      HttpRequest.BodyPublishers.ofByteArray(
                          exchange.getRequestBody().readAllBytes()))
                  .header("Content-Type", "application/vnd.schemaregistry.v1+json")
                  .build(),
              HttpResponse.BodyHandlers.ofByteArray());
      exchange.getResponseHeaders().set("Content-Type", "application/vnd.schemaregistry.v1+json");
      exchange.sendResponseHeaders(answer.statusCode(), answer.body().length);
      exchange.getResponseBody().write(answer.body());
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  String bootstrapServers() {
    return broker.bootstrapServers();
  }

  String registryUrl() {
    return "https://localhost:" + front.getAddress().getPort();
  }

  /** What a user puts into the file of --command-config. */
  Map<String, String> client(String user) {
    Map<String, String> c = new HashMap<>();
    c.put("security.protocol", "SASL_SSL");
    c.put("sasl.mechanism", "PLAIN");
    c.put(
        "sasl.jaas.config",
        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"%s\" password=\"%s\";"
            .formatted(user, SECRET + user));
    c.put("ssl.truststore.location", path("trust.p12"));
    c.put("ssl.truststore.type", "PKCS12");
    c.put("ssl.truststore.password", STORE_PASSWORD);
    c.put("schema.registry.ssl.truststore.location", path("trust.p12"));
    c.put("schema.registry.ssl.truststore.type", "PKCS12");
    c.put("schema.registry.ssl.truststore.password", STORE_PASSWORD);
    c.put("basic.auth.credentials.source", "USER_INFO");
    c.put("basic.auth.user.info", user + ":" + SECRET + user);
    return c;
  }

  Path commandConfig(String user) throws IOException {
    return commandConfig(user, client(user));
  }

  Path commandConfig(String name, Map<String, String> settings) throws IOException {
    Properties properties = new Properties();
    properties.putAll(settings);
    Path file = directory.resolve(name + ".properties");
    try (var out = Files.newOutputStream(file)) {
      properties.store(out, null);
    }
    return file;
  }

  @Override
  public void close() {
    front.stop(0);
    executor.shutdownNow();
    registry.close();
    broker.close();
  }
}
