package dev.amanuensis.cli.command;

import java.nio.file.Path;

/**
 * A file that a command line names.
 *
 * @param named as the user wrote it
 * @param data where its bytes can be read as often as need be; mostly the same
 */
record Input(Path named, Path data) {
  private static final Path STDIN = Path.of("-");

  /** Whether the name stands for standard input. */
  static boolean isStdin(Path named) {
    return named.equals(STDIN);
  }
}
