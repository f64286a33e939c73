package dev.amanuensis.worker.pipeline;

import java.time.Duration;

/**
 * @param maxJobs admitted and not yet answered, at most
 * @param prepareThreads that fetch and decode audio
 * @param encodeLanes windows in the encoder side by side, one thread each
 * @param maxSequences live in the decoder at once, beams counted
 * @param windowsReady windows that may be encoded or wait for the decoder at once
 * @param stageTimeout longest time a stage may spend on one window, or on preparing a job
 */
public record PipelineConfig(
    int maxJobs,
    int prepareThreads,
    int encodeLanes,
    int maxSequences,
    int windowsReady,
    Duration stageTimeout) {

  /** One lane per core, 16 sequences. */
  public static PipelineConfig defaults() {
    int cores = Runtime.getRuntime().availableProcessors();
    return new PipelineConfig(
        32, Math.min(4, cores), cores, 16, 16 + cores, Duration.ofMinutes(10));
  }
}
