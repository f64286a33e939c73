package dev.amanuensis.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Map;

/**
 * Remembers the SHA-256 of files in their directory, so that an unchanged file is hashed once and
 * not at each start. A file is the one that was hashed while its size, times of modification and of
 * change (ctime, which nobody can set), device and inode are the same. Where these can't be read,
 * or the directory can't be written, files are hashed each time. Thread-safe.
 */
final class HashMemory {
  static final String FILE_NAME = ".verified.json";

  /** A change within the clock tick of another one would not show: such files are hashed again. */
  private static final long SETTLED_MILLIS = 100;

  private static final ObjectMapper JSON = new ObjectMapper();

  private HashMemory() {}

  /** The SHA-256 of a file, from the memory beside it where that knows it. */
  static String sha256(Path file) throws IOException {
    String identity = identity(file);
    if (identity == null) {
      return Hashes.sha256(file);
    }
    JsonNode known = read(file).path(file.getFileName().toString());
    if (known.path("identity").asText().equals(identity) && known.path("sha256").isTextual()) {
      return known.path("sha256").asText();
    }
    Instant changed = ((FileTime) Files.getAttribute(file, "unix:ctime")).toInstant();
    boolean settled = changed.isBefore(Instant.now().minusMillis(SETTLED_MILLIS));
    String hash = Hashes.sha256(file);
    if (settled && identity.equals(identity(file))) {
      remember(file, identity, hash);
    }
    return hash;
  }

  /** Null where the system does not tell. */
  private static String identity(Path file) throws IOException {
    try {
      Map<String, Object> a =
          Files.readAttributes(file, "unix:dev,ino,size,lastModifiedTime,ctime");
      return "%s:%s:%s:%s:%s"
          .formatted(
              a.get("dev"), a.get("ino"), a.get("size"), a.get("lastModifiedTime"), a.get("ctime"));
    } catch (UnsupportedOperationException | IllegalArgumentException e) {
      return null;
    }
  }

  private static ObjectNode read(Path file) {
    try {
      if (JSON.readTree(file.resolveSibling(FILE_NAME).toFile()) instanceof ObjectNode known) {
        return known;
      }
    } catch (IOException e) {
      // Not there, or damaged: nothing is remembered.
    }
    return JSON.createObjectNode();
  }

  private static synchronized void remember(Path file, String identity, String sha256) {
    ObjectNode all = read(file);
    all.putObject(file.getFileName().toString()).put("identity", identity).put("sha256", sha256);
    Path written = null;
    try {
      written = Files.createTempFile(file.toAbsolutePath().getParent(), ".verified", ".tmp");
      Files.write(written, JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(all));
      Path memory = file.resolveSibling(FILE_NAME);
      try {
        Files.move(written, memory, StandardCopyOption.ATOMIC_MOVE);
      } catch (AtomicMoveNotSupportedException e) {
        Files.move(written, memory, StandardCopyOption.REPLACE_EXISTING);
      }
    } catch (IOException e) {
      deleteQuietly(written); // then it is hashed again the next time
    }
  }

  private static void deleteQuietly(Path file) {
    try {
      if (file != null) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      // It is a small hidden file.
    }
  }
}
