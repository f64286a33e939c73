package dev.amanuensis.broker;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The registry's schemas and settings in one file, written whole or not at all. */
final class RegistryStore {
  /** A version of a subject. */
  record Entry(String subject, int version, int id, String schema) {}

  /**
   * @param compatibility by subject; "" is the global one
   */
  record Content(List<Entry> entries, Map<String, String> compatibility) {}

  private static final ObjectMapper JSON = new ObjectMapper();
  private final Path file;

  RegistryStore(Path directory) throws IOException {
    Files.createDirectories(directory);
    this.file = directory.resolve("schemas.json");
  }

  Content load() throws IOException {
    if (!Files.exists(file)) {
      return new Content(new ArrayList<>(), new TreeMap<>());
    }
    try {
      Content c = JSON.readValue(file.toFile(), new TypeReference<Content>() {});
      return new Content(new ArrayList<>(c.entries()), new TreeMap<>(c.compatibility()));
    } catch (IOException e) {
      throw new IOException("the registry's file " + file + " can't be read: " + e.getMessage(), e);
    }
  }

  void save(Content content) throws IOException {
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    JSON.writeValue(fresh.toFile(), content);
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
