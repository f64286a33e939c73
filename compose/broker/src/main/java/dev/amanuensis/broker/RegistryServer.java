package dev.amanuensis.broker;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Confluent-compatible Schema Registry for development: the REST calls that clients, serializers
 * and curl make, for Avro schemas without references. Loopback only.
 */
public final class RegistryServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RegistryServer.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String CONTENT_TYPE = "application/vnd.schemaregistry.v1+json";
  private static final int MAX_BODY = 1 << 20;

  private final Path dataDirectory;
  private final int port;
  private SchemaRegistry registry;
  private HttpServer server;
  private ExecutorService executor;

  /**
   * @param dataDirectory where schemas and ids are kept
   * @param port to serve on; 0: a free one
   */
  public RegistryServer(Path dataDirectory, int port) {
    this.dataDirectory = dataDirectory;
    this.port = port;
  }

  /**
   * @throws IOException if the port is taken or the folder can't be used
   */
  public void start() throws IOException {
    registry = new SchemaRegistry(dataDirectory);
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
    } catch (IOException e) {
      throw new IOException(
          "port %d on the loopback interface can't be used for the registry: %s"
              .formatted(port, e.getMessage()),
          e);
    }
    executor = Executors.newFixedThreadPool(4, RegistryServer::daemon);
    server.setExecutor(executor);
    server.createContext("/", this::serve);
    server.start();
  }

  private static Thread daemon(Runnable work) {
    Thread thread = new Thread(work, "registry");
    thread.setDaemon(true);
    return thread;
  }

  /** For clients: schema.registry.url. */
  public String url() {
    return "http://localhost:" + server.getAddress().getPort();
  }

  @Override
  public void close() {
    if (server != null) {
      server.stop(0);
      executor.shutdownNow();
    }
  }

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      int status = 200;
      Object answer;
      try {
        answer = answer(exchange);
      } catch (RegistryException e) {
        status = e.status();
        answer = Map.of("error_code", e.code(), "message", e.getMessage());
      } catch (RuntimeException | IOException e) {
        LOG.error("{} {}", exchange.getRequestMethod(), exchange.getRequestURI(), e);
        status = 500;
        answer = Map.of("error_code", 50001, "message", "Error in the backend data store: " + e);
      }
      byte[] body = JSON.writeValueAsBytes(answer);
      exchange.getResponseHeaders().set("Content-Type", CONTENT_TYPE);
      exchange.sendResponseHeaders(status, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  private Object answer(HttpExchange exchange) throws RegistryException, IOException {
    List<String> path = new ArrayList<>();
    for (String part : exchange.getRequestURI().getRawPath().split("/")) {
      if (!part.isEmpty()) {
        path.add(URLDecoder.decode(part, StandardCharsets.UTF_8));
      }
    }
    String method = exchange.getRequestMethod();
    String query = exchange.getRequestURI().getQuery();
    String root = path.isEmpty() ? "" : path.get(0);
    return switch (root) {
      case "" -> Map.of();
      case "subjects" -> subjects(method, path, exchange);
      case "schemas" -> schemas(method, path);
      case "config" -> config(method, path, query, exchange);
      case "mode" -> Map.of("mode", "READWRITE");
      case "compatibility" -> compatibility(method, path, query, exchange);
      default -> throw unknown();
    };
  }

  private Object subjects(String method, List<String> path, HttpExchange exchange)
      throws RegistryException, IOException {
    String call = method + " " + path.size();
    switch (call) {
      case "GET 1":
        return registry.subjects();
      case "POST 2":
        return version(registry.find(path.get(1), schema(exchange)));
      case "DELETE 2":
        return registry.deleteSubject(path.get(1));
      default:
        break;
    }
    if (path.size() < 3 || !path.get(2).equals("versions")) {
      throw unknown();
    }
    return switch (call) {
      case "GET 3" -> registry.versions(path.get(1));
      case "POST 3" -> Map.of("id", registry.register(path.get(1), schema(exchange)));
      case "GET 4" -> version(registry.version(path.get(1), path.get(3)));
      case "DELETE 4" -> registry.deleteVersion(path.get(1), path.get(3));
      case "GET 5" -> JSON.readTree(registry.version(path.get(1), path.get(3)).schema());
      default -> throw unknown();
    };
  }

  private static Map<String, Object> version(RegistryStore.Entry e) {
    return Map.of(
        "subject", e.subject(), "version", e.version(), "id", e.id(), "schema", e.schema());
  }

  private Object schemas(String method, List<String> path) throws RegistryException, IOException {
    if (!method.equals("GET")) {
      throw unknown();
    }
    if (path.equals(List.of("schemas", "types"))) {
      return List.of("AVRO");
    }
    if (path.size() < 3 || !path.get(1).equals("ids")) {
      throw unknown();
    }
    int id;
    try {
      id = Integer.parseInt(path.get(2));
    } catch (NumberFormatException e) {
      throw RegistryException.noSchema("Schema " + path.get(2) + " not found");
    }
    if (path.size() == 3) {
      return Map.of("schema", registry.byId(id).schema());
    }
    return switch (path.get(3)) {
      case "schema" -> JSON.readTree(registry.byId(id).schema());
      case "subjects" ->
          registry.usesOf(id).stream().map(RegistryStore.Entry::subject).distinct().toList();
      case "versions" ->
          registry.usesOf(id).stream()
              .map(e -> Map.of("subject", e.subject(), "version", e.version()))
              .toList();
      default -> throw unknown();
    };
  }

  private Object config(String method, List<String> path, String query, HttpExchange exchange)
      throws RegistryException, IOException {
    String subject = path.size() > 1 ? path.get(1) : "";
    if (method.equals("PUT")) {
      String level = body(exchange).path("compatibility").asText("");
      return Map.of("compatibility", registry.setLevel(subject, level));
    }
    if (!method.equals("GET")) {
      throw unknown();
    }
    if (subject.isEmpty()) {
      return Map.of("compatibilityLevel", registry.globalLevel());
    }
    boolean global = query != null && query.contains("defaultToGlobal=true");
    String level =
        registry
            .ownLevel(subject)
            .or(
                () ->
                    global
                        ? java.util.Optional.of(registry.globalLevel())
                        : java.util.Optional.empty())
            .orElseThrow(
                () ->
                    new RegistryException(
                        40408,
                        "Subject '"
                            + subject
                            + "' does not have subject-level compatibility configured"));
    return Map.of("compatibilityLevel", level);
  }

  private Object compatibility(
      String method, List<String> path, String query, HttpExchange exchange)
      throws RegistryException, IOException {
    boolean call =
        method.equals("POST")
            && path.size() == 5
            && path.get(1).equals("subjects")
            && path.get(3).equals("versions");
    if (!call) {
      throw unknown();
    }
    List<String> faults = registry.check(path.get(2), path.get(4), schema(exchange));
    boolean verbose = query != null && query.contains("verbose=true");
    return verbose
        ? Map.of("is_compatible", faults.isEmpty(), "messages", faults)
        : Map.of("is_compatible", faults.isEmpty());
  }

  private static String schema(HttpExchange exchange) throws RegistryException, IOException {
    JsonNode body = body(exchange);
    String type = body.path("schemaType").asText("AVRO");
    if (!type.equals("AVRO") || body.path("references").size() > 0) {
      throw RegistryException.invalidSchema("only Avro schemas without references are taken here");
    }
    String schema = body.path("schema").asText("");
    if (schema.isEmpty()) {
      throw RegistryException.invalidSchema("Empty schema");
    }
    return schema;
  }

  private static JsonNode body(HttpExchange exchange) throws RegistryException, IOException {
    byte[] bytes = exchange.getRequestBody().readNBytes(MAX_BODY + 1);
    if (bytes.length > MAX_BODY) {
      throw new RegistryException(413, "The request is larger than " + MAX_BODY + " bytes.");
    }
    try {
      return JSON.readTree(bytes);
    } catch (JsonProcessingException e) {
      throw new RegistryException(400, "The request is not JSON: " + e.getOriginalMessage());
    }
  }

  private static RegistryException unknown() {
    return new RegistryException(404, "HTTP 404 Not Found");
  }
}
