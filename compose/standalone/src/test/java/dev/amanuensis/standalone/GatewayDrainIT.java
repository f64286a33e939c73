package dev.amanuensis.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.worker.config.Setting;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A gateway process: whom it answers, and what SIGTERM does while somebody waits. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class GatewayDrainIT {
  @TempDir Path data;

  @Test
  void foreignHostsAreRefusedAndWhoWaitsIsToldWhenTheProcessEnds() throws Exception {
    Map<String, String> settings = Map.of(Setting.DEVICE.key(), "simulated");
    try (Fleet fleet = Fleet.start(new Fleet.Plan(data, 0, 0, settings))) {
      fleet.stopWorker(); // so that the request waits
      Process gateway = gateway(fleet.target());
      try {
        URI base = baseUrl(gateway);
        CompletableFuture<HttpResponse<String>> answer =
            HttpClient.newHttpClient()
                .sendAsync(
                    Multipart.form(
                            HttpRequest.newBuilder(URI.create(base + "/audio/transcriptions")),
                            Files.readAllBytes(Commands.JFK),
                            "model",
                            "whisper-1")
                        .build(),
                    HttpResponse.BodyHandlers.ofString());
        assertThat(statusFor(base, "evil.example")).startsWith("HTTP/1.1 421");
        assertThat(statusFor(base, "localhost")).startsWith("HTTP/1.1 200");
        awaitWaiting(base.resolve("/health"));
        gateway.destroy();
        HttpResponse<String> told = answer.get(30, TimeUnit.SECONDS);
        assertThat(told.statusCode()).as(told.body()).isEqualTo(503);
        assertThat(told.body()).contains("stopping");
        assertThat(told.headers().firstValue("X-Job-Id")).isPresent();
        assertThat(gateway.waitFor(30, TimeUnit.SECONDS)).isTrue();
      } finally {
        gateway.destroyForcibly();
      }
    }
  }

  private static Process gateway(KafkaTarget target) throws Exception {
    return Commands.process("gateway", target, "--port=0")
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  private static URI baseUrl(Process gateway) throws Exception {
    BufferedReader out =
        new BufferedReader(new InputStreamReader(gateway.getInputStream(), StandardCharsets.UTF_8));
    String line;
    do {
      line = out.readLine();
      assertThat(line).as("the gateway's output").isNotNull();
    } while (!line.contains("base URL"));
    return URI.create(line.substring(line.indexOf("http")).strip());
  }

  /** Java's client lets nobody choose the Host header. */
  private static String statusFor(URI base, String host) throws Exception {
    try (Socket socket = new Socket(base.getHost(), base.getPort())) {
      String request = "GET /v1/models HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      return new BufferedReader(new InputStreamReader(socket.getInputStream())).readLine();
    }
  }

  private static void awaitWaiting(URI health) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(health).build();
    String body;
    do {
      Thread.sleep(20);
      body = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
    } while (!body.contains("\"waiting\":1"));
  }
}
