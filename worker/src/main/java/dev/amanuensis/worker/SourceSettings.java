package dev.amanuensis.worker;

import dev.amanuensis.worker.config.ConfigException;
import dev.amanuensis.worker.config.Setting;
import dev.amanuensis.worker.config.WorkerConfig;
import dev.amanuensis.worker.source.AudioPreparer;
import dev.amanuensis.worker.source.SourceConfig;
import dev.amanuensis.worker.source.reference.Cidr;
import dev.amanuensis.worker.source.reference.ReferenceConfig;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;

/** From the worker's settings to those of its sources. */
final class SourceSettings {
  private static final Duration FIRST_PAUSE = Duration.ofMillis(500);

  private SourceSettings() {}

  /**
   * @throws ConfigException naming the key of a value that can't be used
   */
  static AudioPreparer preparer(WorkerConfig c) {
    try {
      return new AudioPreparer(of(c));
    } catch (IllegalArgumentException e) {
      throw new ConfigException(Setting.HTTPS_CA_FILE.key() + ": " + e.getMessage());
    }
  }

  private static SourceConfig of(WorkerConfig c) {
    String spill = c.text(Setting.SPILL_DIR);
    return new SourceConfig(
        references(c),
        Path.of(spill.isBlank() ? System.getProperty("java.io.tmpdir") : spill),
        c.number(Setting.MAX_INLINE_BYTES),
        c.number(Setting.MAX_AUDIO_BYTES),
        c.seconds(Setting.MAX_AUDIO_SECONDS),
        c.seconds(Setting.DECODE_TIMEOUT_SECONDS));
  }

  private static ReferenceConfig references(WorkerConfig c) {
    return new ReferenceConfig(
        c.paths(Setting.ALLOWED_ROOTS),
        https(c),
        new ReferenceConfig.S3(
            c.list(Setting.S3_BUCKETS),
            optional(c, Setting.S3_ENDPOINT, URI::create),
            optional(c, Setting.S3_REGION, r -> r),
            Boolean.parseBoolean(c.text(Setting.S3_PATH_STYLE))),
        c.seconds(Setting.FETCH_TIMEOUT_SECONDS),
        c.count(Setting.FETCH_ATTEMPTS),
        FIRST_PAUSE);
  }

  private static ReferenceConfig.Https https(WorkerConfig c) {
    List<Cidr> networks =
        c.list(Setting.HTTPS_PRIVATE_NETWORKS).stream()
            .map(n -> parsed(Setting.HTTPS_PRIVATE_NETWORKS, n, Cidr::parse))
            .toList();
    Path authorities = optional(c, Setting.HTTPS_CA_FILE, Path::of);
    try {
      return new ReferenceConfig.Https(c.list(Setting.HTTPS_HOSTS), networks, authorities);
    } catch (IllegalArgumentException e) {
      throw new ConfigException(Setting.HTTPS_HOSTS.key() + ": " + e.getMessage());
    }
  }

  private static <T> T optional(WorkerConfig c, Setting setting, Function<String, T> parse) {
    String value = c.text(setting).strip();
    return value.isEmpty() ? null : parsed(setting, value, parse);
  }

  private static <T> T parsed(Setting setting, String value, Function<String, T> parse) {
    try {
      return parse.apply(value);
    } catch (IllegalArgumentException e) {
      throw new ConfigException(setting.key() + ": " + e.getMessage());
    }
  }
}
