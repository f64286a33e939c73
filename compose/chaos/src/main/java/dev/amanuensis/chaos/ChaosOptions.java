package dev.amanuensis.chaos;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * @param jobs good ones
 * @param poison jobs that crash the process with SIGSEGV
 * @param undecodable records that are no jobs
 * @param audio files to submit, in turns; empty: a short tone for each job
 * @param patience the run ends when no result came for so long
 * @param settings of the workers, beside those of the harness
 */
record ChaosOptions(
    int jobs,
    int poison,
    int undecodable,
    int workers,
    int brokers,
    long seed,
    int kills,
    int stops,
    int brokerRestarts,
    int registryOutages,
    int fullDisks,
    int storms,
    List<Path> audio,
    Duration patience,
    Path data,
    Map<String, String> settings) {

  int submitted() {
    return jobs + poison;
  }
}
