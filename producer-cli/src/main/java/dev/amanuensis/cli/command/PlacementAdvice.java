package dev.amanuensis.cli.command;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** What to do about files that can't travel, said once for all of them. One thread uses it. */
final class PlacementAdvice {
  private static final int SHOWN = 4;

  private final Path named;
  private final Set<Path> roots = new TreeSet<>();
  private boolean spooled;

  /**
   * @param named directory whose files are submitted, or null
   */
  PlacementAdvice(Path named) {
    this.named = named;
  }

  /** This file was too large for a record, and there was no other way for it. */
  void tooLarge(Input input) {
    if (!input.data().equals(input.named())) {
      spooled = true;
      return;
    }
    Path real = real(input.data());
    Path tree = named == null ? null : real(named);
    // No directory above those that the user named: a worker should read no more than it must.
    roots.add(tree != null && real.startsWith(tree) ? tree : real.getParent());
  }

  /** The commands to use; null if all files found their way. */
  String text() {
    StringBuilder text = new StringBuilder();
    if (spooled) {
      text.append("Standard input or a pipe that is too large: write it to a file first.\n");
    }
    if (!roots.isEmpty()) {
      text.append("To have workers read larger files where they are:\n")
          .append("  1. start the workers anew with  ")
          .append(options("--allow-root"))
          .append("\n     (amanuensis standalone or worker; on another machine the path must")
          .append(" lead to the same files)\n  2. repeat this command with  ")
          .append(options("--file-root"))
          .append('\n');
    }
    if (!text.isEmpty()) {
      text.append("Or have larger files uploaded:  --upload s3://BUCKET/PREFIX");
    }
    return text.isEmpty() ? null : text.toString();
  }

  private String options(String option) {
    String all =
        roots.stream()
            .limit(SHOWN)
            .map(root -> option + " " + Shell.quoted(root.toString()))
            .collect(Collectors.joining(" "));
    return roots.size() > SHOWN ? all + " and " + (roots.size() - SHOWN) + " more" : all;
  }

  private static Path real(Path file) {
    try {
      return file.toRealPath();
    } catch (IOException e) {
      return file.toAbsolutePath().normalize(); // it was there a moment ago
    }
  }
}
