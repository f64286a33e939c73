package dev.amanuensis.broker;

import static org.assertj.core.api.Assertions.assertThat;

import io.confluent.kafka.schemaregistry.avro.AvroSchema;
import io.confluent.kafka.schemaregistry.client.CachedSchemaRegistryClient;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RegistryServerIT extends RegistryContract {
  @TempDir Path directory;
  private RegistryServer server;

  @BeforeEach
  void start() throws Exception {
    server = new RegistryServer(directory, 0);
    server.start();
  }

  @AfterEach
  void close() {
    server.close();
  }

  @Override
  String url() {
    return server.url();
  }

  /** As Confluent's registry does; Apicurio goes on applying its global rule. */
  @Test
  void levelNoneOfASubjectSwitchesTheCheckOff() throws Exception {
    CachedSchemaRegistryClient client = new CachedSchemaRegistryClient(url(), 10);
    client.register("s", new AvroSchema(V1));
    client.updateCompatibility("s", "NONE");
    assertThat(client.register("s", new AvroSchema(BREAKING))).isEqualTo(2);
  }

  @Test
  void idsSurviveARestart() throws Exception {
    AvroSchema schema = new AvroSchema("\"string\"");
    AvroSchema other = new AvroSchema("\"int\"");
    int first = new CachedSchemaRegistryClient(url(), 10).register("kept", schema);
    int second = new CachedSchemaRegistryClient(url(), 10).register("other", other);
    close();
    start();
    CachedSchemaRegistryClient client = new CachedSchemaRegistryClient(url(), 10);
    assertThat(client.getSchemaById(first)).isEqualTo(schema);
    assertThat(client.getId("other", other)).isEqualTo(second);
    assertThat(client.register("new", new AvroSchema("\"long\""))).isNotIn(first, second);
  }
}
