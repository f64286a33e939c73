package dev.amanuensis.cli.command;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.FileFailures;
import dev.amanuensis.cli.format.TranscriptDocument;
import dev.amanuensis.cli.format.TranscriptFormat;
import dev.amanuensis.cli.terminal.StatusLine;
import dev.amanuensis.cli.terminal.Terminal;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Takes transcripts: a file for each in a directory, or stdout. */
final class OutputSink {
  private final TranscriptFormat format;
  private final Terminal terminal;
  private final StatusLine status;
  private final Map<Path, Path> targets;
  private final boolean headers;

  /**
   * @param directory where files are written, or null for stdout
   * @param inputs the files that transcripts are expected for
   * @throws CliException if two transcripts would be written to one file, or the directory can't be
   *     made
   */
  OutputSink(
      TranscriptFormat format,
      Path directory,
      List<Path> inputs,
      Terminal terminal,
      StatusLine status)
      throws CliException {
    this.format = format;
    this.terminal = terminal;
    this.status = status;
    this.targets = directory == null ? null : targets(format, directory, inputs);
    // Headers are for eyes: json lines carry the file's name, and pipes want the text alone.
    this.headers = inputs.size() > 1 && terminal.outIsTerminal() && format != TranscriptFormat.JSON;
    if (directory != null) {
      prepare(directory);
    }
  }

  /** Before hours of work, not after them. */
  private static void prepare(Path directory) throws CliException {
    try {
      if (!Files.isDirectory(directory)) { // a link to one is one
        Files.createDirectories(directory);
      }
    } catch (FileAlreadyExistsException e) {
      throw new CliException(ExitCodes.USAGE, "--output " + directory + " is not a directory", e);
    } catch (IOException e) {
      throw new CliException(
          ExitCodes.USAGE,
          "can't make the directory " + directory + ": " + FileFailures.reason(e),
          e);
    }
    if (!Files.isWritable(directory)) {
      throw new CliException(
          ExitCodes.USAGE, "can't write into --output " + directory + "; check its permissions");
    }
  }

  /**
   * Writes one transcript.
   *
   * @throws CliException if stdout is closed: nobody wants the others either
   * @throws IOException if this one's file can't be written; its message says so
   */
  void accept(Path input, TranscriptDocument document) throws CliException, IOException {
    StringBuilder text = new StringBuilder();
    try {
      format.write(document, text);
    } catch (IOException e) {
      throw new UncheckedIOException("a StringBuilder does not fail", e);
    }
    if (targets == null) {
      print(input, text);
    } else {
      writeFile(targets.get(input), text);
    }
  }

  private void print(Path input, StringBuilder text) throws CliException {
    PrintStream out = terminal.out();
    status.above(
        () -> {
          if (headers) {
            String name = terminal.coloursOut() ? "\u001b[1m" + input + "\u001b[0m" : "" + input;
            out.append("== ").append(name).append(" ==\n");
          }
          out.append(text).flush();
        });
    if (out.checkError()) {
      throw new CliException(
          ExitCodes.FAILED, "can't write to stdout: it is closed, or its disk is full");
    }
  }

  private void writeFile(Path target, StringBuilder text) throws IOException {
    try {
      // Beside the target, so that a reader sees the whole file or none. Not a secure temporary
      // file: it keeps the permissions that the user's umask gives.
      String hidden = "." + target.getFileName() + "." + ProcessHandle.current().pid() + ".tmp";
      Path temporary = target.resolveSibling(hidden);
      try {
        Files.writeString(temporary, text, StandardCharsets.UTF_8);
        move(temporary, target);
      } finally {
        Files.deleteIfExists(temporary);
      }
    } catch (IOException e) {
      throw new IOException("can't write " + target + ": " + FileFailures.reason(e), e);
    }
    status.above(() -> terminal.err().println("wrote " + target));
  }

  private static void move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /** Named as openai/whisper names them: the file's name with its ending replaced. */
  private static Map<Path, Path> targets(TranscriptFormat format, Path directory, List<Path> inputs)
      throws CliException {
    Map<Path, Path> byInput = new HashMap<>();
    Map<Path, Path> byTarget = new HashMap<>();
    for (Path input : inputs) {
      String name = Input.isStdin(input) ? "stdin" : input.getFileName().toString();
      int dot = name.lastIndexOf('.');
      String base = dot > 0 ? name.substring(0, dot) : name;
      Path target = directory.resolve(base + "." + format.extension()).toAbsolutePath();
      Path other = byTarget.put(target, input);
      if (other != null) {
        throw new CliException(
            ExitCodes.USAGE,
            other
                + " and "
                + input
                + " would both be written to "
                + target
                + "; run them separately with different --output directories");
      }
      byInput.put(input, target);
    }
    return byInput;
  }
}
