package dev.amanuensis.gateway;

import java.time.Duration;
import java.util.List;

/**
 * Bounds of a gateway.
 *
 * @param apiKeys of which a request must carry one; empty: none is asked for
 * @param maxBodyBytes of a request; OpenAI's limit is 25 MB
 * @param inlineBytes of audio that travels inside the job's record; what is larger goes to the
 *     claim store, or is refused where there is none
 * @param maxWaiting requests that wait for their transcript at once; the next one is answered 429
 * @param timeout after which a request is answered 504; its job goes on
 * @param claimTtl after which audio in the claim store is removed whatever became of its job
 */
public record GatewayConfig(
    List<String> apiKeys,
    long maxBodyBytes,
    long inlineBytes,
    int maxWaiting,
    Duration timeout,
    Duration claimTtl) {
  public GatewayConfig {
    apiKeys = List.copyOf(apiKeys);
  }

  /** No keys, 25 MB, 1 MB inline, 64 requests, 10 minutes, a day. */
  public static GatewayConfig defaults() {
    return new GatewayConfig(
        List.of(), 25L << 20, 1_000_000, 64, Duration.ofMinutes(10), Duration.ofDays(1));
  }
}
