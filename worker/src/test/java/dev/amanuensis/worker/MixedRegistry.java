package dev.amanuensis.worker;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** A registry as fleets share it: one schema in it is JSON Schema, all others are another's. */
final class MixedRegistry implements AutoCloseable {
  private static final int JSON_SCHEMA_ID = 9_999;
  private static final String JSON_SCHEMA =
      "{\"schemaType\":\"JSON\",\"schema\":\"{\\\"type\\\":\\\"object\\\"}\"}";

  private final HttpClient client = HttpClient.newHttpClient();
  private final HttpServer server;
  private final String behind;

  MixedRegistry(String behind) throws IOException {
    this.behind = behind;
    server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.createContext("/", this::answer);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** As a producer of JSON with Confluent's serializer would write it. */
  static byte[] jsonRecord() {
    byte[] json = "{\"job_id\":\"x\"}".getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(5 + json.length)
        .put((byte) 0)
        .putInt(JSON_SCHEMA_ID)
        .put(json)
        .array();
  }

  private void answer(HttpExchange exchange) throws IOException {
    if (exchange.getRequestURI().getPath().equals("/schemas/ids/" + JSON_SCHEMA_ID)) {
      send(exchange, 200, JSON_SCHEMA.getBytes(StandardCharsets.UTF_8));
      return;
    }
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(behind + exchange.getRequestURI()))
            .header("Content-Type", "application/vnd.schemaregistry.v1+json")
            .method(
                exchange.getRequestMethod(),
                HttpRequest.BodyPublishers.ofByteArray(exchange.getRequestBody().readAllBytes()))
            .build();
    try {
      HttpResponse<byte[]> response = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
      send(exchange, response.statusCode(), response.body());
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
    exchange.getResponseHeaders().add("Content-Type", "application/vnd.schemaregistry.v1+json");
    exchange.sendResponseHeaders(status, body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
