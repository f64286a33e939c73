package dev.amanuensis.worker.intake;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;

/**
 * @param lanes topics to consume jobs from, the most urgent first
 * @param consumer configuration of a consumer of byte arrays, without auto-commit
 * @param registry configuration of the deserializer
 * @param maxJobs that the sink takes
 * @param maxBytesInFlight of inline audio that is held at once, roughly
 * @param maxAttempts processes that may be lost while a job is alone in them before it is given up
 * @param maxRetries of a job that failed for a reason that may pass
 * @param retryAfter the first failure; doubled each time, to 5 minutes at most
 * @param controlTopic of cancellations
 */
public record IntakeConfig(
    List<LaneConfig> lanes,
    Map<String, Object> consumer,
    Map<String, Object> registry,
    int maxJobs,
    long maxBytesInFlight,
    int maxAttempts,
    int maxRetries,
    Duration retryAfter,
    String controlTopic) {
  private static final Duration LONGEST_RETRY = Duration.ofMinutes(5);

  public IntakeConfig {
    lanes = List.copyOf(lanes);
  }

  List<String> topics() {
    return lanes.stream().map(LaneConfig::topic).toList();
  }

  /** How long to wait for the next try of a job that was tried again so many times before. */
  Duration retryAfter(int retries) {
    if (retryAfter.compareTo(LONGEST_RETRY) >= 0) {
      return retryAfter;
    }
    Duration doubled = retryAfter.multipliedBy(1L << Math.min(retries, 20));
    return doubled.compareTo(LONGEST_RETRY) < 0 ? doubled : LONGEST_RETRY;
  }

  Object group() {
    return consumer.get(ConsumerConfig.GROUP_ID_CONFIG);
  }
}
