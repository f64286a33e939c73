package dev.amanuensis.worker;

import dev.amanuensis.worker.buffers.BufferConfig;
import dev.amanuensis.worker.buffers.Exhaustion;
import dev.amanuensis.worker.buffers.Pool;
import dev.amanuensis.worker.buffers.PoolConfig;
import dev.amanuensis.worker.config.ConfigException;
import dev.amanuensis.worker.config.Setting;
import dev.amanuensis.worker.config.WorkerConfig;
import dev.amanuensis.worker.device.Device;
import dev.amanuensis.worker.device.SpeechModel;
import dev.amanuensis.worker.pipeline.PipelineConfig;
import dev.amanuensis.worker.pipeline.Stage;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** From the worker's settings to those of the pipeline and its buffers. */
public final class PipelineSettings {
  private static final Pattern POOL =
      Pattern.compile("(\\d{1,5})/(\\d{1,5})\\s+(wait|fail|unpooled)");

  private PipelineSettings() {}

  static int encodeLanes(WorkerConfig c) {
    int lanes = c.count(Setting.ENCODE_LANES);
    return lanes > 0 ? lanes : Runtime.getRuntime().availableProcessors();
  }

  /** The pipeline over a device. */
  public static PipelineConfig pipeline(WorkerConfig c, Device device) {
    int lanes = c.count(Setting.ENCODE_LANES) > 0 ? c.count(Setting.ENCODE_LANES) : device.lanes();
    int cores = Runtime.getRuntime().availableProcessors();
    Map<Stage, Duration> timeouts = new EnumMap<>(Stage.class);
    timeouts.put(Stage.PREPARE, timeout(c, Setting.PREPARE_TIMEOUT_SECONDS));
    timeouts.put(Stage.ENCODE, timeout(c, Setting.ENCODE_TIMEOUT_SECONDS));
    timeouts.put(Stage.DECODE, timeout(c, Setting.DECODE_STAGE_TIMEOUT_SECONDS));
    return new PipelineConfig(
        PipelineConfig.Mode.valueOf(c.text(Setting.PIPELINE_MODE).toUpperCase(Locale.ROOT)),
        c.count(Setting.MAX_JOBS),
        or(c.count(Setting.PREPARE_THREADS), Math.min(4, cores)),
        lanes,
        c.count(Setting.DECODE_LANES),
        c.count(Setting.MAX_SEQUENCES),
        or(c.count(Setting.PREPARE_QUEUE), c.count(Setting.MAX_JOBS)),
        c.count(Setting.ENCODE_QUEUE),
        or(c.count(Setting.DECODE_QUEUE), lanes),
        c.seconds(Setting.AGEING_SECONDS),
        timeouts);
  }

  private static int or(int value, int otherwise) {
    return value > 0 ? value : otherwise;
  }

  private static Duration timeout(WorkerConfig c, Setting own) {
    return c.number(own) > 0 ? c.seconds(own) : c.seconds(Setting.STAGE_TIMEOUT_SECONDS);
  }

  /**
   * The buffers for a pipeline and a model.
   *
   * @throws ConfigException if the initial buffers exceed the cap
   */
  public static BufferConfig buffers(WorkerConfig c, PipelineConfig pipeline, SpeechModel model) {
    BufferConfig usual = pipeline.buffers(model);
    Map<Pool, PoolConfig> pools = new EnumMap<>(Pool.class);
    for (Pool pool : Pool.values()) {
      pools.put(pool, pool(c, setting(pool), usual.pools().get(pool)));
    }
    try {
      return new BufferConfig(
          c.number(Setting.BUFFERS_CAP_BYTES),
          pools,
          c.seconds(Setting.BUFFERS_WAIT_SECONDS),
          c.seconds(Setting.BUFFERS_LEAK_SECONDS),
          usual.idle(),
          c.text(Setting.BUFFERS_DEBUG).equals("true"));
    } catch (IllegalArgumentException e) {
      throw new ConfigException(Setting.BUFFERS_CAP_BYTES.key() + ": " + e.getMessage());
    }
  }

  private static Setting setting(Pool pool) {
    return switch (pool) {
      case MEL -> Setting.BUFFERS_MEL;
      case AUDIO -> Setting.BUFFERS_AUDIO;
      case ENCODER -> Setting.BUFFERS_ENCODER;
      case CROSS_KV -> Setting.BUFFERS_CROSS_KV;
    };
  }

  private static PoolConfig pool(WorkerConfig c, Setting setting, PoolConfig usual) {
    String text = c.text(setting).trim();
    if (text.equals("off")) {
      return new PoolConfig(
          usual.slotBytes(), usual.initial(), usual.most(), usual.exhaustion(), false);
    }
    Matcher m = POOL.matcher(text);
    if (!m.matches()) {
      throw new ConfigException(
          "%s is '%s', must be off, or like '%d/%d wait' (or fail, or unpooled)"
              .formatted(setting.key(), text, usual.initial(), usual.most()));
    }
    int initial = Integer.parseInt(m.group(1));
    int most = Integer.parseInt(m.group(2));
    if (most == 0) {
      initial = usual.initial();
      most = usual.most();
    }
    if (initial > most) {
      throw new ConfigException(
          "%s is '%s': more buffers to start with than at most".formatted(setting.key(), text));
    }
    Exhaustion exhaustion = Exhaustion.valueOf(m.group(3).toUpperCase(Locale.ROOT));
    return new PoolConfig(usual.slotBytes(), initial, most, exhaustion, true);
  }
}
