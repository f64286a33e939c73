package dev.amanuensis.chaos;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The workers' spill folder: a file system of a few MB of its own where this process may mount one
 * (root), so that it can be full without filling anybody else's. Elsewhere a plain folder that is
 * never full. One thread uses it.
 */
final class SmallDisk implements AutoCloseable {
  private static final String SIZE = "size=16m";

  private final Path directory;
  private final boolean mounted;
  private final Thread atExit = new Thread(this::unmount, "unmount");

  private SmallDisk(Path directory, boolean mounted) {
    this.directory = directory;
    this.mounted = mounted;
    Runtime.getRuntime().addShutdownHook(atExit);
  }

  static SmallDisk create(Path directory, PrintStream log)
      throws IOException, InterruptedException {
    Files.createDirectories(directory);
    boolean mounted = run("mount", "-t", "tmpfs", "-o", SIZE, "tmpfs", directory.toString());
    if (!mounted) {
      log.println("no small file system can be mounted here (that needs root): no disk is filled");
    }
    return new SmallDisk(directory, mounted);
  }

  private static boolean run(String... command) throws InterruptedException {
    try {
      return new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    }
  }

  /** Whether it can be full. */
  boolean mounted() {
    return mounted;
  }

  Path directory() {
    return directory;
  }

  private Path ballast() {
    return directory.resolve("ballast");
  }

  /** Leaves no byte free. */
  void fill() {
    try (OutputStream out = Files.newOutputStream(ballast())) {
      byte[] block = new byte[4096];
      while (true) {
        out.write(block);
      }
    } catch (IOException e) {
      // full
    }
  }

  void free() throws IOException {
    Files.deleteIfExists(ballast());
  }

  private void unmount() {
    if (mounted) {
      try {
        run("umount", "-l", directory.toString());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(atExit);
    } catch (IllegalStateException e) {
      return; // it is at work
    }
    unmount();
  }
}
