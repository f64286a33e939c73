package dev.amanuensis.broker;

import io.confluent.kafka.schemaregistry.CompatibilityLevel;
import io.confluent.kafka.schemaregistry.ParsedSchema;
import io.confluent.kafka.schemaregistry.ParsedSchemaHolder;
import io.confluent.kafka.schemaregistry.SimpleParsedSchemaHolder;
import io.confluent.kafka.schemaregistry.avro.AvroSchema;
import io.confluent.kafka.schemaregistry.client.MockSchemaRegistryClient;
import io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * Subjects, versions and ids: the genuine client's in-memory registry holds the schemas and knows
 * Avro's compatibility rules; a file remembers them. Thread-safe.
 */
final class SchemaRegistry {
  private static final String GLOBAL = "";
  private static final String DEFAULT_LEVEL = "BACKWARD";

  private final RegistryStore store;
  private final RegistryStore.Content content;
  private final MockSchemaRegistryClient schemas = new MockSchemaRegistryClient();

  SchemaRegistry(Path directory) throws IOException {
    store = new RegistryStore(directory);
    content = store.load();
    for (RegistryStore.Entry e : content.entries()) {
      try {
        schemas.register(e.subject(), new AvroSchema(e.schema()), e.version(), e.id());
      } catch (RestClientException ex) {
        throw new IOException("schema " + e.id() + " can't be restored: " + ex.getMessage(), ex);
      }
    }
  }

  synchronized List<String> subjects() {
    return content.entries().stream()
        .map(RegistryStore.Entry::subject)
        .distinct()
        .sorted()
        .toList();
  }

  synchronized List<Integer> versions(String subject) throws RegistryException {
    List<Integer> versions =
        of(subject).stream().map(RegistryStore.Entry::version).sorted().toList();
    if (versions.isEmpty()) {
      throw RegistryException.noSubject(subject);
    }
    return versions;
  }

  private List<RegistryStore.Entry> of(String subject) {
    return content.entries().stream().filter(e -> e.subject().equals(subject)).toList();
  }

  synchronized RegistryStore.Entry version(String subject, String version)
      throws RegistryException {
    List<Integer> all = versions(subject);
    int number;
    if (version.equals("latest") || version.equals("-1")) {
      number = Collections.max(all);
    } else {
      try {
        number = Integer.parseInt(version);
      } catch (NumberFormatException e) {
        number = 0;
      }
      if (number < 1) {
        throw new RegistryException(
            42202, "The specified version '" + version + "' is not a valid version id.");
      }
    }
    int wanted = number;
    return of(subject).stream()
        .filter(e -> e.version() == wanted)
        .findFirst()
        .orElseThrow(() -> RegistryException.noVersion(version));
  }

  synchronized RegistryStore.Entry byId(int id) throws RegistryException {
    return content.entries().stream()
        .filter(e -> e.id() == id)
        .findFirst()
        .orElseThrow(() -> RegistryException.noSchema("Schema " + id + " not found"));
  }

  synchronized List<RegistryStore.Entry> usesOf(int id) throws RegistryException {
    byId(id);
    return content.entries().stream().filter(e -> e.id() == id).toList();
  }

  /** The subject's version that holds this schema. */
  synchronized RegistryStore.Entry find(String subject, String schema) throws RegistryException {
    ParsedSchema parsed = parse(schema);
    versions(subject);
    return of(subject).stream()
        .filter(e -> new AvroSchema(e.schema()).equals(parsed))
        .findFirst()
        .orElseThrow(() -> RegistryException.noSchema("Schema not found"));
  }

  /** Registers a schema if it is new; refuses one that breaks the subject's compatibility. */
  synchronized int register(String subject, String schema) throws RegistryException, IOException {
    AvroSchema parsed = parse(schema);
    for (RegistryStore.Entry e : of(subject)) {
      if (new AvroSchema(e.schema()).equals(parsed)) {
        return e.id();
      }
    }
    List<String> faults = incompatibilities(parsed, of(subject), level(subject));
    if (!faults.isEmpty()) {
      throw new RegistryException(
          409,
          "Schema being registered is incompatible with an earlier schema for subject \"%s\", details: %s"
              .formatted(subject, faults));
    }
    try {
      // The in-memory registry counts from 1 again after a restart, so we number them.
      int id = idFor(parsed);
      int version = of(subject).stream().mapToInt(RegistryStore.Entry::version).max().orElse(0) + 1;
      schemas.register(subject, parsed, version, id);
      content
          .entries()
          .add(new RegistryStore.Entry(subject, version, id, parsed.canonicalString()));
      store.save(content);
      return id;
    } catch (RestClientException e) {
      throw new RegistryException(500, e.getMessage());
    }
  }

  /** Equal schemas share an id, whatever their subjects. */
  private int idFor(AvroSchema schema) {
    int last = 0;
    for (RegistryStore.Entry e : content.entries()) {
      if (new AvroSchema(e.schema()).equals(schema)) {
        return e.id();
      }
      last = Math.max(last, e.id());
    }
    return last + 1;
  }

  /** What keeps a schema from being compatible with a version; empty if nothing does. */
  synchronized List<String> check(String subject, String version, String schema)
      throws RegistryException {
    return incompatibilities(parse(schema), List.of(version(subject, version)), level(subject));
  }

  private static List<String> incompatibilities(
      AvroSchema schema, List<RegistryStore.Entry> earlier, String level) {
    List<ParsedSchemaHolder> previous =
        earlier.stream()
            .sorted((a, b) -> a.version() - b.version())
            .map(e -> (ParsedSchemaHolder) new SimpleParsedSchemaHolder(new AvroSchema(e.schema())))
            .toList();
    return schema.isCompatible(CompatibilityLevel.forName(level), previous).stream()
        .map(Object::toString)
        .toList();
  }

  private static AvroSchema parse(String schema) throws RegistryException {
    try {
      AvroSchema parsed = new AvroSchema(schema);
      parsed.validate(false);
      return parsed;
    } catch (RuntimeException e) {
      throw RegistryException.invalidSchema("Invalid schema: " + e.getMessage());
    }
  }

  synchronized List<Integer> deleteSubject(String subject) throws RegistryException, IOException {
    List<Integer> versions = versions(subject);
    content.entries().removeIf(e -> e.subject().equals(subject));
    forget(() -> schemas.deleteSubject(subject, true));
    store.save(content);
    return versions;
  }

  synchronized int deleteVersion(String subject, String version)
      throws RegistryException, IOException {
    RegistryStore.Entry entry = version(subject, version);
    content.entries().remove(entry);
    forget(() -> schemas.deleteSchemaVersion(subject, Integer.toString(entry.version()), true));
    store.save(content);
    return entry.version();
  }

  private interface Deletion {
    void run() throws IOException, RestClientException;
  }

  private static void forget(Deletion deletion) throws RegistryException, IOException {
    try {
      deletion.run();
    } catch (RestClientException e) {
      throw new RegistryException(500, e.getMessage());
    }
  }

  /** The subject's own level. */
  synchronized Optional<String> ownLevel(String subject) {
    return Optional.ofNullable(content.compatibility().get(subject));
  }

  synchronized String globalLevel() {
    return content.compatibility().getOrDefault(GLOBAL, DEFAULT_LEVEL);
  }

  private String level(String subject) {
    return ownLevel(subject).orElse(globalLevel());
  }

  /**
   * @param subject empty for all that have no level of their own
   */
  synchronized String setLevel(String subject, String level) throws RegistryException, IOException {
    if (CompatibilityLevel.forName(level) == null) {
      throw new RegistryException(
          42203, "Invalid compatibility level. Valid values are " + levels());
    }
    content.compatibility().put(subject, level);
    store.save(content);
    return level;
  }

  private static String levels() {
    TreeSet<String> names = new TreeSet<>();
    for (CompatibilityLevel level : CompatibilityLevel.values()) {
      names.add(level.name());
    }
    return String.join(", ", names);
  }
}
