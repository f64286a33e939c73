package dev.amanuensis.worker.source;

import dev.amanuensis.model.UserCache;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;

/**
 * The ffmpeg executable that org.bytedeco:ffmpeg carries, unpacked once into the user's cache. Its
 * libavdevice is replaced by one without devices (native/src/main/avdevice says why).
 */
final class FfmpegBinary {
  private static final String FOLDER = "/org/bytedeco/ffmpeg/linux-x86_64/";
  private static final String AVDEVICE = "/native/linux-x86_64/libavdevice.so.62";
  private static final String NAME = "ffmpeg-8.1.2-1.5.14-a1";
  private static final String EXECUTABLE = "ffmpeg";
  private static final List<String> FILES =
      List.of(
          EXECUTABLE,
          "libavfilter.so.11",
          "libavformat.so.62",
          "libavcodec.so.62",
          "libavutil.so.60",
          "libswresample.so.6",
          "libswscale.so.9",
          "libva.so.2",
          "libva-drm.so.2",
          "libdrm.so.2");

  private static Path directory;

  private FfmpegBinary() {}

  /** The directory of the executable and its libraries; unpacks them on first use. */
  static synchronized Path directory() throws IOException {
    if (directory == null) {
      Path wanted = UserCache.directory(System.getenv()).resolve(NAME);
      if (!Files.isExecutable(wanted.resolve(EXECUTABLE))) {
        unpack(wanted);
      }
      directory = wanted;
    }
    return directory;
  }

  static List<String> command() throws IOException {
    return List.of(directory().resolve(EXECUTABLE).toString());
  }

  /** Its libraries lie beside it. */
  static Map<String, String> environment() throws IOException {
    return Map.of("LD_LIBRARY_PATH", directory().toString());
  }

  /** Complete or not at all: several processes may do this at once. */
  private static void unpack(Path wanted) throws IOException {
    Files.createDirectories(wanted.getParent());
    Path fresh = Files.createTempDirectory(wanted.getParent(), NAME + ".");
    try {
      fill(fresh);
      Files.move(fresh, wanted, StandardCopyOption.ATOMIC_MOVE);
    } catch (FileAlreadyExistsException | DirectoryNotEmptyException e) {
      discard(fresh); // another process was first; ours is the same
    } catch (IOException e) {
      discard(fresh);
      throw e;
    }
  }

  private static void fill(Path fresh) throws IOException {
    for (String file : FILES) {
      copy(FOLDER + file, fresh.resolve(file));
    }
    copy(AVDEVICE, fresh.resolve("libavdevice.so.62"));
    if (!fresh.resolve(EXECUTABLE).toFile().setExecutable(true)) {
      throw new IOException("can't make " + fresh.resolve(EXECUTABLE) + " executable");
    }
  }

  private static void discard(Path fresh) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(fresh)) {
      for (Path file : files) {
        Files.delete(file);
      }
    }
    Files.delete(fresh);
  }

  private static void copy(String resource, Path to) throws IOException {
    try (InputStream in = FfmpegBinary.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new FileNotFoundException(resource + " is not on the class path");
      }
      Files.copy(in, to);
    }
  }
}
