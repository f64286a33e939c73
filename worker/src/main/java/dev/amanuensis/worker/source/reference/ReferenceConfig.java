package dev.amanuensis.worker.source.reference;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * What references may name, and how long fetching may take.
 *
 * @param allowedRoots directories that file: references may point into; empty: none
 * @param https what https: references may name
 * @param s3 what s3: references may name
 * @param timeout wall time of one attempt
 * @param attempts at most, where a failure may pass
 * @param firstPause before the second attempt; it doubles from then on
 */
public record ReferenceConfig(
    List<Path> allowedRoots,
    Https https,
    S3 s3,
    Duration timeout,
    int attempts,
    Duration firstPause) {
  public ReferenceConfig {
    allowedRoots = List.copyOf(allowedRoots);
  }

  /** Files below these directories, and nothing else. */
  public static ReferenceConfig files(List<Path> allowedRoots) {
    return new ReferenceConfig(
        allowedRoots, Https.NONE, S3.NONE, Duration.ofMinutes(5), 4, Duration.ofMillis(500));
  }

  /**
   * @param hosts {@code host}, {@code host:port} or {@code *.domain}; empty: no https at all
   * @param privateNetworks in CIDR notation, which hosts on the list may be in though they are not
   *     public; empty: none
   * @param authorities PEM file of the certificate authorities to trust, or null for Java's own
   */
  public record Https(List<String> hosts, List<Cidr> privateNetworks, Path authorities) {
    public static final Https NONE = new Https(List.of(), List.of(), null);

    public Https {
      hosts = List.copyOf(hosts);
      privateNetworks = List.copyOf(privateNetworks);
      new HostList(hosts); // an entry that can't be used shows here
    }
  }

  /**
   * @param buckets empty: no s3 at all
   * @param endpoint null for Amazon's
   * @param region null for the one of the environment, else us-east-1
   * @param pathStyle the bucket in the path instead of the host's name
   */
  public record S3(List<String> buckets, URI endpoint, String region, boolean pathStyle) {
    public static final S3 NONE = new S3(List.of(), null, null, false);

    public S3 {
      buckets = List.copyOf(buckets);
    }
  }
}
