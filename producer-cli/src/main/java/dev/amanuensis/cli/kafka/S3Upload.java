package dev.amanuensis.cli.kafka;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.regions.providers.DefaultAwsRegionProviderChain;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;

/**
 * Uploads to S3-compatible storage as {@code s3://bucket/prefix/JOB-ID/FILE}. Credentials come from
 * the standard chain: environment, profile, container or instance role.
 */
public final class S3Upload implements Placement.Upload {
  private final String bucket;
  private final String prefix;
  private final S3Client client;

  /**
   * @param target s3://bucket/prefix
   * @param endpoint or null for Amazon's
   * @param region or null for the environment's
   * @param pathStyle the bucket in the path instead of the host's name
   * @throws IllegalArgumentException if the target is none
   */
  public S3Upload(URI target, URI endpoint, String region, boolean pathStyle) {
    if (!"s3".equals(target.getScheme()) || target.getAuthority() == null) {
      throw new IllegalArgumentException("'" + target + "' is not s3://BUCKET/PREFIX");
    }
    this.bucket = target.getAuthority();
    String path = target.getPath().replaceAll("^/+|/+$", "");
    this.prefix = path.isEmpty() ? "" : path + "/";
    S3ClientBuilder builder =
        S3Client.builder()
            .httpClientBuilder(Apache5HttpClient.builder())
            .forcePathStyle(pathStyle)
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

  @Override
  public String upload(String id, Path file, String contentType) throws IOException {
    String key = prefix + id + "/" + file.getFileName();
    PutObjectRequest request =
        PutObjectRequest.builder().bucket(bucket).key(key).contentType(contentType).build();
    try {
      client.putObject(request, RequestBody.fromFile(file));
      return new URI("s3", bucket, "/" + key, null).toASCIIString();
    } catch (SdkException e) {
      throw new IOException("the upload to s3://" + bucket + " failed: " + e.getMessage(), e);
    } catch (URISyntaxException e) {
      throw new IOException("no reference can be made of " + key, e);
    }
  }

  @Override
  public void close() {
    client.close();
  }
}
