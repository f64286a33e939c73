package dev.amanuensis.cli.command;

import dev.amanuensis.cli.format.TranscriptFormat;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** What transcripts look like and where they go. */
public final class OutputOptions {
  @Option(
      names = {"-f", "--format"},
      paramLabel = "FORMAT",
      converter = FormatConverter.class,
      defaultValue = "txt",
      description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
  TranscriptFormat format;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "DIR",
      description = "Write a file for each transcript into this directory instead of stdout.")
  Path directory;
}
