package dev.amanuensis.cli.command;

import java.util.regex.Pattern;

/** Words of a command line as a shell takes them. */
final class Shell {
  private static final Pattern PLAIN =
      Pattern.compile("[\\p{L}\\p{N}_@%+=:,./][\\p{L}\\p{N}_@%+=:,./-]*");

  private Shell() {}

  /** The word, in quotes if the shell would take it apart. */
  static String quoted(String word) {
    return PLAIN.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
  }
}
