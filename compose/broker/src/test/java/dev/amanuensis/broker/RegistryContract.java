package dev.amanuensis.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.serde.AvroSerdes;
import io.confluent.kafka.schemaregistry.avro.AvroSchema;
import io.confluent.kafka.schemaregistry.client.CachedSchemaRegistryClient;
import io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;
import org.junit.jupiter.api.Test;

/** What clients rely on. The same calls go to our registry and to Apicurio's. */
abstract class RegistryContract {
  private static final ObjectMapper JSON = new ObjectMapper();
  static final String V1 =
      "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}";
  private static final String V2 =
      "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"},"
          + "{\"name\":\"b\",\"type\":\"int\",\"default\":0}]}";
  static final String BREAKING =
      "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"},"
          + "{\"name\":\"c\",\"type\":\"int\"}]}";

  private final HttpClient http = HttpClient.newHttpClient();
  private final String subject = "s-" + UUID.randomUUID();

  abstract String url();

  private SchemaRegistryClient client() {
    return new CachedSchemaRegistryClient(url(), 100);
  }

  @Test
  void schemasAreFoundByIdVersionAndContent() throws Exception {
    SchemaRegistryClient client = client();
    int id = client.register(subject, new AvroSchema(V1));
    int second = client.register(subject, new AvroSchema(V2));
    assertThat(second).isNotEqualTo(id);
    assertThat(client().register(subject, new AvroSchema(V1))).isEqualTo(id);
    assertThat(client().getSchemaById(id)).isEqualTo(new AvroSchema(V1));
    assertThat(client().getAllVersions(subject)).containsExactly(1, 2);
    assertThat(client().getLatestSchemaMetadata(subject).getId()).isEqualTo(second);
    assertThat(client().getVersion(subject, new AvroSchema(V1))).isEqualTo(1);
    assertThat(client().getAllSubjects()).contains(subject);
  }

  @Test
  void incompatibleSchemaIsRefusedWith409() throws Exception {
    SchemaRegistryClient client = client();
    client.register(subject, new AvroSchema(V1));
    assertThat(client.testCompatibility(subject, new AvroSchema(V2))).isTrue();
    assertThat(client.testCompatibility(subject, new AvroSchema(BREAKING))).isFalse();
    assertThatThrownBy(() -> client.register(subject, new AvroSchema(BREAKING)))
        .isInstanceOfSatisfying(
            RestClientException.class, e -> assertThat(e.getStatus()).isEqualTo(409));
  }

  @Test
  void subjectsHaveLevelsOfTheirOwn() throws Exception {
    client().register(subject, new AvroSchema(V1));
    assertThat(
            put("/config/" + subject, "{\"compatibility\":\"NONE\"}").get("compatibility").asText())
        .isEqualTo("NONE");
    assertThat(get("/config/" + subject).get("compatibilityLevel").asText()).isEqualTo("NONE");
    assertThat(get("/config").get("compatibilityLevel").asText()).isEqualTo("BACKWARD");
  }

  @Test
  void unknownThingsAre404WithConfluentsCodes() throws Exception {
    assertError("/subjects/" + subject + "/versions", 404, 40401);
    client().register(subject, new AvroSchema(V1));
    assertError("/subjects/" + subject + "/versions/9", 404, 40402);
    assertError("/schemas/ids/999999", 404, 40403);
  }

  @Test
  void textThatIsNoSchemaIs422() throws Exception {
    HttpResponse<String> response =
        send(
            "POST",
            "/subjects/" + subject + "/versions",
            "{\"schema\":\"{\\\"type\\\":\\\"nope\\\"}\"}");
    assertThat(response.statusCode()).isEqualTo(422);
    assertThat(JSON.readTree(response.body()).get("error_code").asInt()).isEqualTo(42201);
  }

  @Test
  void deletedSubjectIsGone() throws Exception {
    client().register(subject, new AvroSchema(V1));
    HttpResponse<String> deleted = send("DELETE", "/subjects/" + subject, null);
    assertThat(deleted.statusCode()).isEqualTo(200);
    assertThat(JSON.readTree(deleted.body()).get(0).asInt()).isEqualTo(1);
    assertThat(client().getAllSubjects()).doesNotContain(subject);
  }

  @Test
  void typesAreListed() throws Exception {
    assertThat(get("/schemas/types").toString()).contains("AVRO");
  }

  @Test
  void genuineSerializerWritesWhatADeserializerReads() {
    Map<String, String> config = Map.of(AvroSerdes.REGISTRY_URL, url());
    try (Serializer<AudioJob> serializer = AvroSerdes.serializer(config);
        Deserializer<AudioJob> deserializer = AvroSerdes.deserializer(AudioJob.class, config)) {
      AudioJob job = AudioJob.newBuilder().setJobId("j").build();
      byte[] bytes = serializer.serialize(subject, job);
      assertThat(deserializer.deserialize(subject, bytes)).isEqualTo(job);
    }
  }

  private void assertError(String path, int status, int code) throws Exception {
    HttpResponse<String> response = send("GET", path, null);
    assertThat(response.statusCode()).as(path).isEqualTo(status);
    assertThat(JSON.readTree(response.body()).get("error_code").asInt()).as(path).isEqualTo(code);
  }

  private JsonNode get(String path) throws Exception {
    return JSON.readTree(send("GET", path, null).body());
  }

  private JsonNode put(String path, String body) throws Exception {
    return JSON.readTree(send("PUT", path, body).body());
  }

  private HttpResponse<String> send(String method, String path, String body)
      throws IOException, InterruptedException {
    HttpRequest.BodyPublisher content =
        body == null
            ? HttpRequest.BodyPublishers.noBody()
            : HttpRequest.BodyPublishers.ofString(body);
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url() + path))
            .header("Content-Type", "application/vnd.schemaregistry.v1+json")
            .method(method, content)
            .build();
    return http.send(request, HttpResponse.BodyHandlers.ofString());
  }
}
