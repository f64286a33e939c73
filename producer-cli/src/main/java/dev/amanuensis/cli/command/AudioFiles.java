package dev.amanuensis.cli.command;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** The files that a command line names. */
public final class AudioFiles {
  private static final Map<String, String> TYPES =
      Map.ofEntries(
          Map.entry("aac", "audio/aac"),
          Map.entry("aif", "audio/aiff"),
          Map.entry("aiff", "audio/aiff"),
          Map.entry("amr", "audio/amr"),
          Map.entry("au", "audio/basic"),
          Map.entry("flac", "audio/flac"),
          Map.entry("m4a", "audio/mp4"),
          Map.entry("m4b", "audio/mp4"),
          Map.entry("mka", "audio/x-matroska"),
          Map.entry("mkv", "video/x-matroska"),
          Map.entry("mov", "video/quicktime"),
          Map.entry("mp3", "audio/mpeg"),
          Map.entry("mp4", "video/mp4"),
          Map.entry("oga", "audio/ogg"),
          Map.entry("ogg", "audio/ogg"),
          Map.entry("opus", "audio/opus"),
          Map.entry("wav", "audio/wav"),
          Map.entry("webm", "video/webm"),
          Map.entry("wma", "audio/x-ms-wma"));

  private AudioFiles() {}

  /**
   * The named files in their order, each once, then the audio files of a directory tree by name.
   *
   * @param directory or null
   * @throws CliException if nothing is named, or a directory is named as a file
   */
  public static List<Path> list(List<Path> files, Path directory) throws CliException {
    Set<Path> all = new LinkedHashSet<>(files);
    for (Path file : files) {
      if (file.toString().isEmpty()) {
        throw new CliException(
            ExitCodes.USAGE, "a file's name is empty; is a variable of your script unset?");
      }
      if (Files.isDirectory(file)) {
        throw new CliException(
            ExitCodes.USAGE,
            file + " is a directory; name the files in it (for example " + file + "/*.flac)");
      }
    }
    if (directory != null) {
      all.addAll(walk(directory));
    }
    return new ArrayList<>(all);
  }

  /** MIME type by the file's ending, or null: the decoder looks at the bytes anyway. */
  static String contentType(Path file) {
    String name = file.getFileName().toString();
    int dot = name.lastIndexOf('.');
    return dot < 0 ? null : TYPES.get(name.substring(dot + 1).toLowerCase(Locale.ROOT));
  }

  private static List<Path> walk(Path directory) throws CliException {
    if (!Files.isDirectory(directory)) {
      throw new CliException(ExitCodes.USAGE, directory + " is not a directory");
    }
    try (Stream<Path> tree = Files.walk(directory)) {
      List<Path> found =
          tree.filter(path -> contentType(path) != null && Files.isRegularFile(path))
              .sorted()
              .toList();
      if (found.isEmpty()) {
        throw new CliException(
            ExitCodes.USAGE,
            "no audio files in "
                + directory
                + " (looked for endings such as .wav, .flac, .mp3); name other files one by one");
      }
      return found;
    } catch (IOException | UncheckedIOException e) {
      throw new CliException(
          ExitCodes.USAGE, "can't read the directory " + directory + ": " + e.getMessage(), e);
    }
  }
}
