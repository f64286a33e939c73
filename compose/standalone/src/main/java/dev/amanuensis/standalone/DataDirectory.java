package dev.amanuensis.standalone;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.FileFailures;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The directory of a fleet's data, locked until it is closed: a second Kafka in it would write into
 * the first one's log before it notices, and end it.
 */
final class DataDirectory implements AutoCloseable {
  private static final String LOCK = "amanuensis.lock";

  private final Path path;
  private final FileChannel channel;

  private DataDirectory(Path path, FileChannel channel) {
    this.path = path;
    this.channel = channel;
  }

  /** Makes the directory unless it is there, and locks it. */
  static DataDirectory lock(Path path) throws CliException {
    make(path);
    Path file = path.resolve(LOCK);
    try {
      FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (!locked(channel)) {
        channel.close();
        throw new CliException(
            ExitCodes.USAGE,
            "another Amanuensis uses the data directory "
                + path
                + "; stop it, or name another directory with --data-dir");
      }
      return new DataDirectory(path, channel);
    } catch (IOException e) {
      throw new CliException(
          ExitCodes.USAGE,
          "can't lock the data directory " + path + ": " + FileFailures.reason(e),
          e);
    }
  }

  private static boolean locked(FileChannel channel) throws IOException {
    try {
      FileLock lock = channel.tryLock();
      return lock != null;
    } catch (OverlappingFileLockException e) {
      return false; // in this JVM
    }
  }

  private static void make(Path path) throws CliException {
    if (Files.exists(path) && !Files.isDirectory(path)) {
      throw new CliException(
          ExitCodes.USAGE, "the data directory " + path + " is not a directory; check --data-dir");
    }
    try {
      if (!Files.isDirectory(path)) { // a link to one is one
        Files.createDirectories(path);
      }
    } catch (IOException e) {
      throw new CliException(
          ExitCodes.USAGE,
          "can't make the data directory "
              + path
              + ": "
              + FileFailures.reason(e)
              + "; --data-dir names another one",
          e);
    }
    if (!Files.isWritable(path)) {
      throw new CliException(
          ExitCodes.USAGE, "can't write into the data directory " + path + "; check --data-dir");
    }
  }

  Path path() {
    return path;
  }

  @Override
  public void close() {
    try {
      channel.close(); // the file stays: whoever deleted it might delete another one's lock
    } catch (IOException e) {
      // The process's end unlocks it.
    }
  }
}
