package dev.amanuensis.schema;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.avro.JsonProperties;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificData;
import org.junit.jupiter.api.Test;

/** docs/messages.md is made from the schemas: {@code -Dreference.update} writes it anew. */
class MessageReferenceTest {
  private static final Path REFERENCE = Path.of("../docs/messages.md");

  @Test
  void referenceHoldsEveryFieldOfEverySchema() throws IOException {
    String made = reference();
    if (System.getProperty("reference.update") != null) {
      Files.createDirectories(REFERENCE.getParent());
      Files.writeString(REFERENCE, made);
    }
    assertThat(REFERENCE)
        .as("written anew by: mvn -pl schemas test -Dtest=MessageReferenceTest -Dreference.update")
        .hasContent(made);
  }

  @Test
  void everyFieldIsDocumentedAndHasADefault() throws IOException {
    for (Schema schema : schemas()) {
      assertThat(schema.getDoc()).as(schema.getName()).isNotBlank();
      for (Schema.Field field : schema.getFields()) {
        assertThat(field.doc()).as(schema.getName() + "." + field.name()).isNotBlank();
        assertThat(field.hasDefaultValue()).as(schema.getName() + "." + field.name()).isTrue();
      }
    }
  }

  private static List<Schema> schemas() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("src/main/avro"))) {
      List<Path> sorted = files.sorted().toList();
      assertThat(sorted).hasSizeGreaterThanOrEqualTo(3);
      return sorted.stream().map(MessageReferenceTest::generated).toList();
    }
  }

  /** As generated: some schemas use records of others. */
  private static Schema generated(Path file) {
    String name = file.getFileName().toString().replace(".avsc", "");
    try {
      return SpecificData.get().getSchema(Class.forName("dev.amanuensis.schema." + name));
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(file.toString(), e);
    }
  }

  private static String reference() throws IOException {
    StringBuilder text = new StringBuilder("# Messages\n\n");
    text.append(
        """
        Every record on the topics, as its Avro schema in `schemas/src/main/avro` documents it. Made by a test
        from these schemas; don't edit. Values are Avro behind Confluent's header (a zero byte and the schema's
        id); keys are job ids in UTF-8.
        """);
    for (Schema schema : schemas()) {
      section(text, schema);
    }
    return text.toString();
  }

  private static void section(StringBuilder text, Schema record) {
    text.append("\n## ").append(record.getName()).append("\n\n");
    text.append(record.getDoc()).append("\n\n");
    text.append("| field | type | default | meaning |\n|---|---|---|---|\n");
    for (Schema.Field field : record.getFields()) {
      text.append(
          "| `%s` | %s | %s | %s |%n"
              .formatted(field.name(), type(field.schema()), byDefault(field), cell(field.doc())));
    }
    record.getFields().stream()
        .flatMap(field -> records(field.schema()))
        .distinct()
        .forEach(nested -> section(text, nested));
  }

  /** Records that a type holds, but for those that a schema of their own describes. */
  private static Stream<Schema> records(Schema schema) {
    return switch (schema.getType()) {
      case RECORD -> Stream.of(schema);
      case ARRAY -> records(schema.getElementType());
      case MAP -> records(schema.getValueType());
      case UNION -> schema.getTypes().stream().flatMap(MessageReferenceTest::records);
      default -> Stream.empty();
    };
  }

  private static String type(Schema schema) {
    String logical = schema.getProp("logicalType");
    if (logical != null) {
      return logical;
    }
    return switch (schema.getType()) {
      case RECORD -> schema.getName();
      case ENUM -> String.join(", ", schema.getEnumSymbols());
      case ARRAY -> "array of " + type(schema.getElementType());
      case MAP -> "map of " + type(schema.getValueType());
      case UNION ->
          schema.getTypes().stream()
              .map(MessageReferenceTest::type)
              .collect(Collectors.joining(" or "));
      default -> schema.getType().name().toLowerCase(Locale.ROOT);
    };
  }

  private static String byDefault(Schema.Field field) {
    Object value = field.defaultVal();
    String shown = value == JsonProperties.NULL_VALUE ? "null" : String.valueOf(value);
    return shown.isEmpty() ? "empty" : "`" + shown + "`";
  }

  private static String cell(String text) {
    return text.replace("|", "\\|");
  }
}
