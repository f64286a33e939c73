package dev.amanuensis.cli.kafka;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.time.Instant;
import javax.net.ssl.SSLException;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.regions.providers.DefaultAwsRegionProviderChain;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * A place in S3-compatible storage, {@code s3://bucket/prefix}. Credentials come from the standard
 * chain: environment, profile, container or instance role. Thread-safe.
 */
public final class S3Storage implements AutoCloseable {
  private static final String OCTETS = "application/octet-stream";

  /** Of one call with all its attempts; without it a storage that trickles holds its caller. */
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** Slower uploads are given up. */
  private static final long LEAST_BYTES_PER_SECOND = 64 << 10;

  private final String bucket;
  private final String prefix;
  private final S3Client client;

  /** Bytes that can be read again: a failed upload is repeated. */
  @FunctionalInterface
  public interface Content {
    InputStream open() throws IOException;
  }

  /**
   * @param place s3://bucket/prefix
   * @param endpoint or null for Amazon's
   * @param region or null for the environment's
   * @param pathStyle the bucket in the path instead of the host's name
   * @throws IllegalArgumentException if the place is none
   */
  public S3Storage(URI place, URI endpoint, String region, boolean pathStyle) {
    if (!"s3".equals(place.getScheme()) || place.getAuthority() == null) {
      throw new IllegalArgumentException("'" + place + "' is not s3://BUCKET/PREFIX");
    }
    this.bucket = place.getAuthority();
    String path = place.getPath().replaceAll("^/+|/+$", "");
    this.prefix = path.isEmpty() ? "" : path + "/";
    S3ClientBuilder builder =
        S3Client.builder()
            .httpClientBuilder(Apache5HttpClient.builder())
            .forcePathStyle(pathStyle)
            .overrideConfiguration(c -> c.apiCallTimeout(PATIENCE))
            .region(region == null ? environmentRegion() : Region.of(region))
            // Other makers' storage knows the newer checksums only in part.
            .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
            .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED);
    if (endpoint != null) {
      builder.endpointOverride(endpoint);
    }
    this.client = builder.build();
  }

  private static Region environmentRegion() {
    try {
      return DefaultAwsRegionProviderChain.builder().build().getRegion();
    } catch (SdkClientException e) {
      return Region.US_EAST_1; // other makers' storage does not care
    }
  }

  /**
   * Returns the object's reference once it is there.
   *
   * @param name below the prefix
   * @param contentType or null
   * @throws IOException if the content can't be read, or the storage does not take it
   */
  public URI put(String name, String contentType, long bytes, Content content) throws IOException {
    String key = prefix + name;
    ContentStreamProvider provider =
        () -> {
          try {
            return content.open();
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        };
    Duration patience = PATIENCE.plusSeconds(bytes / LEAST_BYTES_PER_SECOND);
    try {
      client.putObject(
          r ->
              r.bucket(bucket)
                  .key(key)
                  .contentType(contentType)
                  .overrideConfiguration(c -> c.apiCallTimeout(patience)),
          RequestBody.fromContentProvider(
              provider, bytes, contentType == null ? OCTETS : contentType));
      return new URI("s3", bucket, "/" + key, null);
    } catch (SdkException | UncheckedIOException e) {
      String hint =
          e.getCause() instanceof SSLException
              ? "; a store in -Djavax.net.ssl.trustStore (AMANUENSIS_JAVA_OPTS) says whom Java trusts"
              : "";
      throw new IOException(
          "the upload to s3://" + bucket + " failed: " + e.getMessage() + hint, e);
    } catch (URISyntaxException e) {
      throw new IOException("no reference can be made of " + key, e);
    }
  }

  /**
   * @throws IOException if the storage does not do it; that there is no such object is no failure
   */
  public void delete(String name) throws IOException {
    try {
      client.deleteObject(r -> r.bucket(bucket).key(prefix + name));
    } catch (SdkException e) {
      throw new IOException("s3://" + bucket + "/" + prefix + name + ": " + e.getMessage(), e);
    }
  }

  /** Deletes what was last written before a time. */
  public void deleteBefore(Instant limit) throws IOException {
    try {
      for (S3Object object :
          client.listObjectsV2Paginator(r -> r.bucket(bucket).prefix(prefix)).contents()) {
        if (object.lastModified().isBefore(limit)) {
          client.deleteObject(r -> r.bucket(bucket).key(object.key()));
        }
      }
    } catch (SdkException e) {
      throw new IOException("s3://" + bucket + "/" + prefix + ": " + e.getMessage(), e);
    }
  }

  @Override
  public String toString() {
    return "s3://" + bucket + "/" + prefix;
  }

  @Override
  public void close() {
    client.close();
  }
}
