package dev.amanuensis.engine;

import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import dev.amanuensis.model.UserCache;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.jar.JarEntry;

/**
 * Finds and loads libamanuensis.so and oneDNN. Each comes from the directory in the system property
 * {@value #DIRECTORY_PROPERTY} if that is set, else from the class path: a plain file is loaded
 * where it is, one inside a jar is copied once to the user's cache under a name made of its
 * checksum.
 */
final class NativeLoader {
  static final String DIRECTORY_PROPERTY = "amanuensis.native.dir";

  private static final String ENGINE = "/native/linux-x86_64/libamanuensis.so";
  private static final String XDNA2 = "/native/linux-x86_64/libamanuensis_xdna2.so";
  private static final String DNNL = "/org/bytedeco/dnnl/linux-x86_64/libdnnl.so.3";
  private static final String OPENMP = "/org/bytedeco/dnnl/linux-x86_64/libgomp.so.1";

  // Kept so that the libraries stay loaded: the engine finds them by their names.
  private static NativeLibrary openMp;
  private static NativeLibrary dnnl;

  private NativeLoader() {}

  static NativeLibrary load() {
    if (!Platform.isLinux() || !Platform.isIntel() || !Platform.is64Bit()) {
      throw new UnsatisfiedLinkError(
          "the engine is built for 64-bit Linux on x86 only, not for "
              + System.getProperty("os.name")
              + " on "
              + System.getProperty("os.arch"));
    }
    try {
      openMp = loadOpenMp();
      dnnl = NativeLibrary.getInstance(find(DNNL));
      return NativeLibrary.getInstance(find(ENGINE));
    } catch (IOException e) {
      throw cantUnpack("the native engine", e);
    }
  }

  /** The machine's own OpenMP run-time, which is the one the compiler linked, or else ours. */
  private static NativeLibrary loadOpenMp() throws IOException {
    try {
      return NativeLibrary.getInstance("libgomp.so.1");
    } catch (UnsatisfiedLinkError e) {
      return NativeLibrary.getInstance(find(OPENMP));
    }
  }

  /** The library that is linked with XRT, or empty if the build left it out. */
  static Optional<Path> xdna2Backend() {
    try {
      return Optional.of(Path.of(find(XDNA2)));
    } catch (UnsatisfiedLinkError e) {
      return Optional.empty();
    } catch (IOException e) {
      throw cantUnpack("the XDNA2 backend", e);
    }
  }

  private static UncheckedIOException cantUnpack(String what, IOException e) {
    return new UncheckedIOException(
        "can't unpack %s: %s; XDG_CACHE_HOME names a directory for it"
            .formatted(what, e.getMessage()),
        e);
  }

  private static String find(String resource) throws IOException {
    String name = resource.substring(resource.lastIndexOf('/') + 1);
    String directory = System.getProperty(DIRECTORY_PROPERTY, "");
    if (!directory.isBlank()) {
      Path file = Path.of(directory, name);
      if (Files.isRegularFile(file)) {
        return file.toAbsolutePath().toString();
      }
    }
    URL url = NativeLoader.class.getResource(resource);
    if (url == null) {
      throw new UnsatisfiedLinkError(
          name
              + " is neither on the class path nor in the directory of the system property "
              + DIRECTORY_PROPERTY
              + "; build the module native");
    }
    if (url.getProtocol().equals("file")) {
      try {
        return new File(url.toURI()).getAbsolutePath();
      } catch (URISyntaxException e) {
        throw new IOException(e);
      }
    }
    return unpack(url, name).toString();
  }

  private static Path unpack(URL url, String name) throws IOException {
    URLConnection connection = url.openConnection();
    long size = connection.getContentLengthLong();
    String id = "unknown";
    if (connection instanceof JarURLConnection jar) {
      JarEntry entry = jar.getJarEntry();
      size = entry.getSize();
      id = String.format("%08x-%x", entry.getCrc(), size);
    }
    Path directory = UserCache.directory(System.getenv()).resolve("native").resolve(id);
    Path target = directory.resolve(name);
    if (!id.equals("unknown") && Files.isRegularFile(target) && Files.size(target) == size) {
      return target;
    }
    Files.createDirectories(directory);
    Path temporary = Files.createTempFile(directory, name, ".tmp");
    try (InputStream in = connection.getInputStream()) {
      Files.copy(in, temporary, StandardCopyOption.REPLACE_EXISTING);
      // Two processes may both unpack: the bytes are the same, and the rename is atomic.
      Files.move(
          temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
    return target;
  }
}
