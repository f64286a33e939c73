package dev.amanuensis.schema;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Schemas evolve under BACKWARD compatibility: the new schema reads what the old ones wrote. */
class CompatibilityTest {
  private static final Path RELEASED = Path.of("src/test/resources/released");

  static Stream<Path> releasedSchemas() throws IOException {
    try (Stream<Path> files = Files.walk(RELEASED)) {
      List<Path> schemas = files.filter(f -> f.toString().endsWith(".avsc")).toList();
      assertThat(schemas).hasSizeGreaterThanOrEqualTo(3);
      return schemas.stream();
    }
  }

  @ParameterizedTest
  @MethodSource("releasedSchemas")
  void currentSchemaReadsReleasedData(Path released) throws IOException {
    Schema writer = new Schema.Parser().parse(Files.readString(released));
    Schema reader = current(writer.getName());
    assertThat(compatibility(reader, writer)).isEqualTo(SchemaCompatibilityType.COMPATIBLE);
  }

  @Test
  void fieldWithoutDefaultIsCaught() throws IOException {
    String released = Files.readString(RELEASED.resolve("v1/AudioJob.avsc"));
    String changed =
        released.replaceFirst(
            "\"fields\": \\[", "\"fields\": [{\"name\": \"tenant\", \"type\": \"string\"},");
    Schema writer = new Schema.Parser().parse(released);
    Schema reader = new Schema.Parser().parse(changed);
    assertThat(compatibility(reader, writer)).isEqualTo(SchemaCompatibilityType.INCOMPATIBLE);
  }

  @Test
  void changedTypeAndRemovedSymbolAreCaught() throws IOException {
    String released = Files.readString(RELEASED.resolve("v1/Transcript.avsc"));
    Schema writer = new Schema.Parser().parse(released);
    String type = "\"name\": \"duration\", \"type\": \"double\"";
    String symbols = ", \"CANCELLED\"], \"default\": \"FAILED\"";
    assertThat(released).contains(type, symbols);
    Schema retyped =
        new Schema.Parser().parse(released.replace(type, type.replace("double", "int")));
    Schema cut = new Schema.Parser().parse(released.replace(symbols, "]"));
    for (Schema reader : List.of(retyped, cut)) {
      assertThat(compatibility(reader, writer)).isEqualTo(SchemaCompatibilityType.INCOMPATIBLE);
    }
  }

  @Test
  void everyFieldHasADefaultAndADescription() {
    for (Schema schema :
        List.of(
            AudioJob.SCHEMA$,
            Transcript.SCHEMA$,
            Segment.SCHEMA$,
            Word.SCHEMA$,
            DeadLetter.SCHEMA$,
            Partial.SCHEMA$,
            JobControl.SCHEMA$)) {
      for (Schema.Field field : schema.getFields()) {
        assertThat(field.hasDefaultValue()).as("default of %s", field.name()).isTrue();
        assertThat(field.doc()).as("description of %s", field.name()).isNotBlank();
      }
    }
  }

  private static Schema current(String name) {
    return Stream.of(
            AudioJob.SCHEMA$,
            Transcript.SCHEMA$,
            DeadLetter.SCHEMA$,
            Partial.SCHEMA$,
            JobControl.SCHEMA$)
        .filter(s -> s.getName().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static SchemaCompatibilityType compatibility(Schema reader, Schema writer) {
    return SchemaCompatibility.checkReaderWriterCompatibility(reader, writer).getType();
  }
}
