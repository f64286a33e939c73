package dev.amanuensis.worker.pipeline;

import dev.amanuensis.worker.buffers.BufferConfig;
import dev.amanuensis.worker.device.SpeechModel;
import dev.amanuensis.worker.source.PreparedAudio;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;

/**
 * @param mode staged: stages overlap; sequential: the same code on one thread, one job at a time
 * @param maxJobs admitted and not yet answered, at most
 * @param prepareThreads that fetch and decode audio
 * @param encodeLanes windows in the encoder side by side, one thread each
 * @param decodeLanes batches side by side, one thread each
 * @param maxSequences live in one batch at once, beams counted
 * @param prepareQueue jobs that may wait for the prepare stage
 * @param encodeQueue first windows that may wait for the encode stage
 * @param decodeQueue windows that may wait for the decode stage
 * @param ageing after which waiting work becomes more urgent
 * @param timeouts longest time a stage may spend on one window, or on preparing a job
 */
public record PipelineConfig(
    Mode mode,
    int maxJobs,
    int prepareThreads,
    int encodeLanes,
    int decodeLanes,
    int maxSequences,
    int prepareQueue,
    int encodeQueue,
    int decodeQueue,
    Duration ageing,
    Map<Stage, Duration> timeouts) {

  /** How the stages run. */
  public enum Mode {
    STAGED,
    SEQUENTIAL
  }

  public PipelineConfig {
    timeouts = Map.copyOf(new EnumMap<>(timeouts));
  }

  /** One lane per core, 16 sequences, 32 jobs. */
  public static PipelineConfig defaults() {
    int cores = Runtime.getRuntime().availableProcessors();
    return new PipelineConfig(
        Mode.STAGED,
        32,
        Math.min(4, cores),
        cores,
        1,
        16,
        32,
        32,
        cores,
        Duration.ofSeconds(10),
        timeouts(Duration.ofMinutes(10)));
  }

  /** The same for every stage. */
  public static Map<Stage, Duration> timeouts(Duration each) {
    Map<Stage, Duration> timeouts = new EnumMap<>(Stage.class);
    for (Stage stage : Stage.values()) {
      timeouts.put(stage, each);
    }
    return timeouts;
  }

  /** Windows that hold cross-attention K/V: live ones, waiting ones, and those that get it. */
  public int windowsWithKv() {
    return maxSequences * decodeLanes + encodeLanes;
  }

  /** The usual pools for a model. */
  public BufferConfig buffers(SpeechModel model) {
    return BufferConfig.defaults(
        model.melBytes(),
        PreparedAudio.WINDOW_BYTES,
        model.encoderBytes(),
        model.crossKvBytes(),
        Math.min(encodeLanes + 1, windowsWithKv()),
        windowsWithKv());
  }
}
