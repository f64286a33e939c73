package dev.amanuensis.cli.command;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.kafka.S3Storage;
import java.net.URI;
import picocli.CommandLine.Option;

/** Which S3-compatible storage, and how it is spoken to. */
public final class S3Options {
  @Option(
      names = "--s3-endpoint",
      paramLabel = "URL",
      defaultValue = "${env:AWS_ENDPOINT_URL_S3:-${env:AWS_ENDPOINT_URL}}",
      description = "S3-compatible storage (or set AWS_ENDPOINT_URL_S3). Default: Amazon's.")
  String endpoint;

  @Option(
      names = "--s3-region",
      paramLabel = "REGION",
      description = "Default: the environment's, else us-east-1.")
  String region;

  @Option(
      names = "--s3-path-style",
      description = "The bucket in the path instead of the host's name, as MinIO wants it.")
  boolean pathStyle;

  /**
   * The caller closes it.
   *
   * @param option that named the place, for the message
   */
  public S3Storage storage(String option, URI place) throws CliException {
    try {
      URI url = endpoint == null || endpoint.isBlank() ? null : URI.create(endpoint);
      return new S3Storage(place, url, region, pathStyle);
    } catch (IllegalArgumentException e) {
      throw new CliException(ExitCodes.USAGE, option + ": " + e.getMessage(), e);
    }
  }
}
