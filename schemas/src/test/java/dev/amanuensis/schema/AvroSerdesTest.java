package dev.amanuensis.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.schema.serde.RegistryFailure;
import dev.amanuensis.schema.serde.TrustedClasses;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;
import org.junit.jupiter.api.Test;

class AvroSerdesTest {
  private static final Map<String, String> CONFIG =
      Map.of(AvroSerdes.REGISTRY_URL, "mock://serdes-test");

  static {
    TrustedClasses.register();
  }

  @Test
  void recordsComeBackAsTheyWere() {
    AudioJob job =
        AudioJob.newBuilder()
            .setJobId("j-1")
            .setAudio(ByteBuffer.wrap(new byte[] {1, 2, 3}))
            .setTemperatures(List.of(0f, 0.5f))
            .setSubmittedAt(Instant.ofEpochMilli(1_700_000_000_123L))
            .setMetadata(Map.of("tenant", "a"))
            .build();
    try (Serializer<AudioJob> serializer = AvroSerdes.serializer(CONFIG);
        Deserializer<AudioJob> deserializer = AvroSerdes.deserializer(AudioJob.class, CONFIG)) {
      byte[] bytes = serializer.serialize("audio-jobs", job);
      assertThat(bytes[0]).as("Confluent's magic byte").isZero();
      assertThat(deserializer.deserialize("audio-jobs", bytes)).isEqualTo(job);
    }
  }

  @Test
  void bytesThatAreNotAvroAreABadRecord() {
    try (Deserializer<AudioJob> deserializer = AvroSerdes.deserializer(AudioJob.class, CONFIG)) {
      for (byte[] bytes :
          List.of(new byte[] {7}, "{\"job_id\": 1}".getBytes(), new byte[] {0, 0, 0, 0, 1})) {
        assertThatThrownBy(() -> deserializer.deserialize("audio-jobs", bytes))
            .isInstanceOf(SerializationException.class)
            .isNotInstanceOf(RegistryFailure.class);
      }
    }
  }

  @Test
  void anotherRecordTypeIsABadRecord() {
    try (Serializer<DeadLetter> serializer = AvroSerdes.serializer(CONFIG);
        Deserializer<AudioJob> deserializer = AvroSerdes.deserializer(AudioJob.class, CONFIG)) {
      byte[] bytes = serializer.serialize("audio-jobs.dlq", DeadLetter.newBuilder().build());
      assertThatThrownBy(() -> deserializer.deserialize("audio-jobs.dlq", bytes))
          .isInstanceOf(SerializationException.class)
          .isNotInstanceOf(RegistryFailure.class);
    }
  }

  @Test
  void registryOutOfReachIsNotABadRecord() {
    Map<String, String> nowhere = Map.of(AvroSerdes.REGISTRY_URL, "http://127.0.0.1:9");
    try (Deserializer<AudioJob> deserializer = AvroSerdes.deserializer(AudioJob.class, nowhere)) {
      assertThatThrownBy(() -> deserializer.deserialize("t", new byte[] {0, 0, 0, 0, 1, 2}))
          .isInstanceOf(RegistryFailure.class);
    }
  }

  /** Avro's own failures are IOExceptions too: they must not look like a registry out of reach. */
  @Test
  void mutatedRecordsAreBadRecordsAndNeverAnErrorOfTheRegistry() {
    AudioJob job =
        AudioJob.newBuilder()
            .setJobId("j-1")
            .setAudio(ByteBuffer.wrap(new byte[64]))
            .setTemperatures(List.of(0f, 0.5f))
            .setMetadata(Map.of("tenant", "a"))
            .build();
    try (Serializer<AudioJob> serializer = AvroSerdes.serializer(CONFIG);
        Deserializer<AudioJob> deserializer = AvroSerdes.deserializer(AudioJob.class, CONFIG)) {
      byte[] good = serializer.serialize("audio-jobs", job);
      Random random = new Random(1);
      int bad = 0;
      for (int i = 0; i < 20_000; i++) {
        byte[] bytes = Arrays.copyOf(good, 5 + random.nextInt(good.length - 4));
        for (int m = random.nextInt(4); m >= 0 && bytes.length > 5; m--) {
          bytes[5 + random.nextInt(bytes.length - 5)] = (byte) random.nextInt(256);
        }
        try {
          deserializer.deserialize("audio-jobs", bytes);
        } catch (RegistryFailure e) {
          throw new AssertionError("looks like the registry's fault: " + e, e);
        } catch (SerializationException e) {
          bad++;
        }
      }
      assertThat(bad).as("mutations that no longer fit the schema").isGreaterThan(10_000);
    }
  }

  @Test
  void lengthThatLiesIsABadRecord() {
    try (Serializer<AudioJob> serializer = AvroSerdes.serializer(CONFIG);
        Deserializer<AudioJob> deserializer = AvroSerdes.deserializer(AudioJob.class, CONFIG)) {
      byte[] good = serializer.serialize("audio-jobs", AudioJob.newBuilder().build());
      byte[] bytes = Arrays.copyOf(good, 5 + 7);
      bytes[5] = 0; // an empty job id
      bytes[6] = 2; // audio is bytes ...
      for (int i = 7; i < 11; i++) {
        bytes[i] = (byte) 0xfe; // ... of a length near 2^31
      }
      bytes[11] = 0x0f;
      assertThatThrownBy(() -> deserializer.deserialize("audio-jobs", bytes))
          .isInstanceOf(SerializationException.class)
          .isNotInstanceOf(RegistryFailure.class);
    }
  }

  @Test
  void registryThatRefusesIsNotABadRecord() throws IOException {
    for (int status : List.of(401, 403, 404, 429, 500, 503)) {
      HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
      server.createContext(
          "/",
          exchange -> {
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
          });
      server.start();
      Map<String, String> config =
          Map.of(
              AvroSerdes.REGISTRY_URL,
              "http://127.0.0.1:" + server.getAddress().getPort(),
              "max.retries",
              "0");
      try (Serializer<AudioJob> serializer = AvroSerdes.serializer(config);
          Deserializer<AudioJob> deserializer = AvroSerdes.deserializer(AudioJob.class, config)) {
        assertThatThrownBy(() -> deserializer.deserialize("t", new byte[] {0, 0, 0, 0, 1, 2}))
            .as("reading, status %d", status)
            .isInstanceOf(RegistryFailure.class);
        assertThatThrownBy(() -> serializer.serialize("t", AudioJob.newBuilder().build()))
            .as("writing, status %d", status)
            .isInstanceOf(RegistryFailure.class);
      } finally {
        server.stop(0);
      }
    }
  }

  @Test
  void schemaThatIsNoAvroIsABadRecord() throws IOException {
    for (String schema :
        List.of(
            "{\"schemaType\":\"JSON\",\"schema\":\"{}\"}",
            "{\"schemaType\":\"PROTOBUF\",\"schema\":\"message M {}\"}",
            "{\"schema\":\"{\\\"type\\\": \\\"nonsense\\\"}\"}")) {
      HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
      server.createContext(
          "/schemas/ids/7",
          exchange -> {
            byte[] answer = schema.getBytes(StandardCharsets.UTF_8);
            exchange
                .getResponseHeaders()
                .add("Content-Type", "application/vnd.schemaregistry.v1+json");
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
          });
      server.start();
      Map<String, String> config =
          Map.of(AvroSerdes.REGISTRY_URL, "http://127.0.0.1:" + server.getAddress().getPort());
      try (Deserializer<AudioJob> deserializer = AvroSerdes.deserializer(AudioJob.class, config)) {
        assertThatThrownBy(() -> deserializer.deserialize("t", new byte[] {0, 0, 0, 0, 7, 2}))
            .as(schema)
            .isInstanceOf(SerializationException.class)
            .isNotInstanceOf(RegistryFailure.class);
      } finally {
        server.stop(0);
      }
    }
  }

  @Test
  void passwordInTheUrlIsSentAndNeverTold() throws IOException {
    Queue<String> sent = new ConcurrentLinkedQueue<>();
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.createContext(
        "/",
        exchange -> {
          sent.add(exchange.getRequestHeaders().getFirst("Authorization"));
          exchange.sendResponseHeaders(500, -1);
          exchange.close();
        });
    server.start();
    Map<String, String> config =
        Map.of(
            AvroSerdes.REGISTRY_URL,
            "http://alice:s%20cret@127.0.0.1:" + server.getAddress().getPort(),
            "max.retries",
            "0");
    try (Deserializer<AudioJob> deserializer = AvroSerdes.deserializer(AudioJob.class, config)) {
      for (int i = 0; i < 2; i++) { // the second finds nobody
        assertThatThrownBy(() -> deserializer.deserialize("t", new byte[] {0, 0, 0, 0, 1, 2}))
            .satisfies(e -> assertThat(stack(e)).doesNotContain("cret"));
        server.stop(0);
      }
    }
    String basic = Base64.getEncoder().encodeToString("alice:s cret".getBytes());
    assertThat(sent).isNotEmpty().containsOnly("Basic " + basic);
  }

  private static String stack(Throwable e) {
    StringWriter text = new StringWriter();
    e.printStackTrace(new PrintWriter(text));
    return text.toString();
  }

  @Test
  void registryOutOfReachIsToldApartWhenWriting() {
    Map<String, String> nowhere = Map.of(AvroSerdes.REGISTRY_URL, "http://127.0.0.1:9");
    try (Serializer<AudioJob> serializer = AvroSerdes.serializer(nowhere)) {
      assertThatThrownBy(() -> serializer.serialize("t", AudioJob.newBuilder().build()))
          .isInstanceOf(RegistryFailure.class);
    }
  }
}
