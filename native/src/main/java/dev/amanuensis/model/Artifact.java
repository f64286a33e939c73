package dev.amanuensis.model;

import dev.amanuensis.model.ModelException.Code;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A file whose content is known in advance.
 *
 * @param name what to call it in messages
 * @param size bytes, or -1 if not known
 * @param sha256 lower-case hex, or null if not known (then only the size is checked)
 */
record Artifact(String name, long size, String sha256) {
  /** How a file's SHA-256 is found. */
  interface Hash {
    String of(Path file) throws IOException;
  }

  /** Throws CORRUPT and deletes the file unless it is this artifact. */
  void verifyOrDelete(Path file) throws ModelException {
    try {
      verify(file);
    } catch (ModelException e) {
      if (e.code() == Code.CORRUPT) {
        try {
          Files.deleteIfExists(file);
        } catch (IOException suppressed) {
          e.addSuppressed(suppressed);
        }
      }
      throw e;
    }
  }

  /** Throws CORRUPT unless the file is this artifact. */
  void verify(Path file) throws ModelException {
    verify(file, Hashes::sha256);
  }

  /** As {@link #verify(Path)} with another way to its hash. */
  void verify(Path file, Hash hash) throws ModelException {
    try {
      long actualSize = Files.size(file);
      if (size >= 0 && actualSize != size) {
        throw new ModelException(
            Code.CORRUPT,
            name + " is damaged: " + actualSize + " bytes instead of " + size + " (" + file + ")");
      }
      if (sha256 == null) {
        return;
      }
      String actual = hash.of(file);
      if (!actual.equals(sha256)) {
        throw new ModelException(
            Code.CORRUPT,
            name + " is damaged: sha256 " + actual + " instead of " + sha256 + " (" + file + ")");
      }
    } catch (IOException e) {
      throw ModelException.of("can't verify " + file, e);
    }
  }
}
