package dev.amanuensis.cli.command;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.kafka.Placement;
import dev.amanuensis.cli.kafka.S3Upload;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How audio travels that does not fit into a record. */
public final class PlacementOptions {
  @Option(
      names = "--max-inline-bytes",
      paramLabel = "N",
      defaultValue = "" + Placement.MAX_INLINE_BYTES,
      converter = InlineBytes.class,
      description = "Larger files do not travel inside the record. Default: ${DEFAULT-VALUE}.")
  long maxInlineBytes;

  @Option(
      names = "--file-root",
      paramLabel = "DIR",
      description =
          "The workers can read this directory under the same path (their --allow-root): larger"
              + " files below it are submitted as references. May be repeated.")
  List<Path> fileRoots = new ArrayList<>();

  @Option(
      names = "--upload",
      paramLabel = "s3://BUCKET/PREFIX",
      description =
          "Upload other larger files there. Credentials: AWS's standard chain (environment,"
              + " profile, role).")
  URI upload;

  @Mixin S3Options s3;

  /** The caller closes its upload, if it has one. */
  Placement placement() throws CliException {
    for (Path root : fileRoots) {
      if (!Files.isDirectory(root)) {
        throw new CliException(ExitCodes.USAGE, "--file-root " + root + " is not a directory");
      }
    }
    return new Placement(
        maxInlineBytes,
        fileRoots,
        upload == null ? null : new S3Upload(s3.storage("--upload", upload)));
  }
}
