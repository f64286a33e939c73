package dev.amanuensis.worker.config;

import java.io.File;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The settings of one worker, checked. Immutable. */
public final class WorkerConfig {
  /** Deliveries of a share group's record beyond max.attempts, in which a worker answers it. */
  public static final int SPARE_SHARE_DELIVERIES = 2;

  /** A broker's cap (group.share.max.delivery.count.limit, by default and at most). */
  private static final int MAX_SHARE_DELIVERIES = 10;

  private static final int MAX_SHARE_ATTEMPTS = MAX_SHARE_DELIVERIES - SPARE_SHARE_DELIVERIES;

  /** Parts of the names of settings that nobody should read. */
  private static final List<String> SECRETS =
      List.of(
          "password",
          "jaas",
          "secret",
          "token",
          "credential",
          "user.info",
          "keystore.key",
          "private.key",
          "passphrase",
          "assertion");

  private final Map<Setting, String> values;
  private final Set<Setting> given;
  private final Map<String, String> clients;

  private WorkerConfig(
      Map<Setting, String> values, Set<Setting> given, Map<String, String> clients) {
    this.values = values;
    this.given = given;
    this.clients = clients;
  }

  /** From the environment alone. */
  public static WorkerConfig fromEnvironment(Map<String, String> environment) {
    return of(Map.of(), environment);
  }

  /**
   * Given values win over the environment, which wins over the defaults.
   *
   * @throws ConfigException naming the key, what is wrong with it and what is allowed
   */
  public static WorkerConfig of(Map<String, String> given, Map<String, String> environment) {
    Map<String, String> left = new TreeMap<>(given);
    Map<Setting, String> values = new EnumMap<>(Setting.class);
    Set<Setting> said = EnumSet.noneOf(Setting.class);
    for (Setting s : Setting.values()) {
      String value = left.remove(s.key());
      String own = value != null ? value : environment.get(s.variable());
      if (own != null) {
        said.add(s);
      }
      values.put(s, own != null ? own : s.defaultValue());
    }
    Map<String, String> clients = new TreeMap<>();
    left.entrySet()
        .removeIf(
            e -> {
              boolean client = e.getKey().startsWith(Setting.CLIENT_PREFIX);
              if (client) {
                clients.put(e.getKey().substring(Setting.CLIENT_PREFIX.length()), e.getValue());
              }
              return client;
            });
    if (!left.isEmpty()) {
      throw new ConfigException(
          "unknown setting '%s'. Known are: %s, and %s* for the Kafka clients"
              .formatted(
                  left.keySet().iterator().next(),
                  Arrays.stream(Setting.values())
                      .map(Setting::key)
                      .collect(Collectors.joining(", ")),
                  Setting.CLIENT_PREFIX));
    }
    WorkerConfig config = new WorkerConfig(values, said, clients);
    config.check();
    return config;
  }

  private void check() {
    checkEngine();
    checkSources();
    checkPipeline();
    checkDelivery();
  }

  private void checkEngine() {
    oneOf(Setting.PROFILE, "reference", "fast");
    oneOf(Setting.DEVICE, "cpu", "auto", "npu", "xdna2", "simulated");
    oneOf(Setting.NPU_ROW_CHECKS, "true", "false");
    oneOf(Setting.NPU_SPILL, "true", "false");
    number(Setting.NPU_TIMEOUT_SECONDS, 6, 600);
    number(Setting.NPU_PROBE_SECONDS, 1, 3600);
    number(Setting.NPU_MAX_WINDOWS, 1, 1024);
    number(Setting.NPU_CHECK_EVERY, 0, Integer.MAX_VALUE);
    number(Setting.SIMULATED_WINDOW_MICROS, 0, 1_000_000_000);
    number(Setting.SIMULATED_STEP_MICROS, 0, 1_000_000_000);
  }

  private void checkSources() {
    number(Setting.MAX_INLINE_BYTES, 1, Integer.MAX_VALUE);
    number(Setting.FETCH_TIMEOUT_SECONDS, 1, 1_000_000);
    number(Setting.FETCH_ATTEMPTS, 1, 100);
    oneOf(Setting.S3_PATH_STYLE, "true", "false");
    number(Setting.MAX_AUDIO_BYTES, 1, Long.MAX_VALUE);
    number(Setting.MAX_AUDIO_SECONDS, 1, 1_000_000);
    number(Setting.DECODE_TIMEOUT_SECONDS, 1, 1_000_000);
  }

  private void checkPipeline() {
    oneOf(Setting.PIPELINE_MODE, "staged", "sequential");
    oneOf(Setting.BUFFERS_DEBUG, "true", "false");
    number(Setting.BUFFERS_CAP_BYTES, 1, Long.MAX_VALUE);
    number(Setting.BUFFERS_WAIT_SECONDS, 0, 1_000_000);
    number(Setting.BUFFERS_LEAK_SECONDS, 1, 1_000_000_000);
    number(Setting.DECODE_LANES, 1, 1024);
    number(Setting.PREPARE_QUEUE, 0, 1_000_000);
    number(Setting.ENCODE_QUEUE, 1, 1_000_000);
    number(Setting.DECODE_QUEUE, 0, 1_000_000);
    number(Setting.AGEING_SECONDS, 1, 1_000_000);
    number(Setting.PREPARE_TIMEOUT_SECONDS, 0, 1_000_000);
    number(Setting.ENCODE_TIMEOUT_SECONDS, 0, 1_000_000);
    number(Setting.DECODE_STAGE_TIMEOUT_SECONDS, 0, 1_000_000);
    number(Setting.MAX_JOBS, 1, 100_000);
    number(Setting.PREPARE_THREADS, 0, 1024);
    number(Setting.ENCODE_LANES, 0, 1024);
    number(Setting.MAX_SEQUENCES, 1, 1024);
    number(Setting.STAGE_TIMEOUT_SECONDS, 1, 1_000_000);
  }

  private void checkDelivery() {
    oneOf(Setting.GROUP_PROTOCOL, "consumer", "classic");
    oneOf(Setting.DELIVERY_MODE, "exactly-once", "share");
    number(Setting.MAX_RECORD_BYTES, 65_536, Integer.MAX_VALUE);
    number(Setting.MAX_BYTES_IN_FLIGHT, 1, Long.MAX_VALUE);
    number(Setting.SHUTDOWN_GRACE_SECONDS, 0, 1_000_000);
    number(Setting.HEARTBEAT_SECONDS, 0, 3_600);
    if (!values.get(Setting.ADMIN_PORT).equals("off")) {
      number(Setting.ADMIN_PORT, 0, 65_535);
    }
    number(Setting.SHARE_CONSUMERS, 1, 1024);
    number(Setting.PARTIAL_INTERVAL_MS, 0, 86_400_000);
    number(Setting.MAX_ATTEMPTS, 1, 60);
    if (values.get(Setting.DELIVERY_MODE).equals("share")) {
      checkShareAttempts();
    }
    number(Setting.MAX_RETRIES, 0, 20);
    number(Setting.RETRY_BACKOFF_MS, 1, 3_600_000);
    numbers(Setting.LANE_SHARES, 1);
    numbers(Setting.LANE_RESERVED_JOBS, 0);
    numbers(Setting.LANE_RESERVED_BYTES, 0);
    if (list(Setting.JOBS_TOPICS).isEmpty()) {
      throw new ConfigException(Setting.JOBS_TOPICS.key() + " is empty");
    }
  }

  /** Else the broker would drop a record before a worker could answer it. */
  private void checkShareAttempts() {
    if (number(Setting.MAX_ATTEMPTS) > MAX_SHARE_ATTEMPTS) {
      throw new ConfigException(
          ("%s is '%s', must be at most %d with %s=share: a broker delivers a record %d times at"
                  + " most, and drops it then without a result")
              .formatted(
                  Setting.MAX_ATTEMPTS.key(),
                  values.get(Setting.MAX_ATTEMPTS),
                  MAX_SHARE_ATTEMPTS,
                  Setting.DELIVERY_MODE.key(),
                  MAX_SHARE_DELIVERIES));
    }
  }

  private void oneOf(Setting s, String... allowed) {
    if (!List.of(allowed).contains(values.get(s))) {
      throw new ConfigException(
          "%s is '%s', must be one of %s".formatted(s.key(), values.get(s), List.of(allowed)));
    }
  }

  private long number(Setting s, long from, long to) {
    try {
      long n = Long.parseLong(values.get(s).trim());
      if (n >= from && n <= to) {
        return n;
      }
    } catch (NumberFormatException e) {
      // the same message
    }
    throw new ConfigException(
        "%s is '%s', must be a number from %d to %d".formatted(s.key(), values.get(s), from, to));
  }

  public String text(Setting s) {
    return values.get(s);
  }

  /** Whether somebody gave the value, be it the default's. */
  public boolean isGiven(Setting s) {
    return given.contains(s);
  }

  public long number(Setting s) {
    return Long.parseLong(values.get(s).trim());
  }

  public int count(Setting s) {
    return Math.toIntExact(number(s));
  }

  public Duration seconds(Setting s) {
    return Duration.ofSeconds(number(s));
  }

  private void numbers(Setting s, long from) {
    try {
      if (list(s).stream().mapToLong(Long::parseLong).allMatch(n -> n >= from)
          && !list(s).isEmpty()) {
        return;
      }
    } catch (NumberFormatException e) {
      // the same message
    }
    throw new ConfigException(
        "%s is '%s', must be numbers from %d on, comma-separated"
            .formatted(s.key(), values.get(s), from));
  }

  /** The number at a place of a comma-separated list; the last one for all places after it. */
  public long number(Setting s, int place) {
    List<String> all = list(s);
    return Long.parseLong(all.get(Math.min(place, all.size() - 1)));
  }

  public Duration millis(Setting s) {
    return Duration.ofMillis(number(s));
  }

  public Duration duration(Setting s, ChronoUnit unit) {
    return Duration.of(number(s), unit);
  }

  /** Comma-separated values. */
  public List<String> list(Setting s) {
    return Arrays.stream(values.get(s).split(","))
        .map(String::trim)
        .filter(v -> !v.isEmpty())
        .toList();
  }

  /** Paths, separated as in the system's PATH. */
  public List<Path> paths(Setting s) {
    return Arrays.stream(values.get(s).split(File.pathSeparator))
        .filter(v -> !v.isBlank())
        .map(Path::of)
        .toList();
  }

  /** Settings of every Kafka client and the registry's, without their prefix. */
  public Map<String, String> clients() {
    return clients;
  }

  /** What {@link #of} makes the same settings of, secrets included: not to be shown. */
  public Map<String, String> toMap() {
    Map<String, String> all = new TreeMap<>();
    values.forEach((k, v) -> all.put(k.key(), v));
    clients.forEach((k, v) -> all.put(Setting.CLIENT_PREFIX + k, v));
    return all;
  }

  /** Every setting by its key, secrets masked. */
  public Map<String, String> shown() {
    Map<String, String> shown = new TreeMap<>();
    values.forEach((k, v) -> shown.put(k.key(), withoutUser(v)));
    clients.forEach(
        (k, v) -> shown.put(Setting.CLIENT_PREFIX + k, secret(k) ? "***" : withoutUser(v)));
    return shown;
  }

  @Override
  public String toString() {
    return shown().toString();
  }

  /** URLs may carry a user and a password. */
  private static String withoutUser(String value) {
    return value.replaceAll("://[^/@\\s]*@", "://***@");
  }

  private static boolean secret(String key) {
    return SECRETS.stream().anyMatch(key.toLowerCase(Locale.ROOT)::contains);
  }
}
