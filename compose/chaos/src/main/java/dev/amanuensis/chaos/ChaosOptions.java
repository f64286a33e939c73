package dev.amanuensis.chaos;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * @param jobs good ones
 * @param poison jobs that crash the process with SIGSEGV
 * @param undecodable records that are no jobs
 * @param workers processes that do all jobs but speech
 * @param faults how often each happens
 * @param stalls whether processes stand still for a moment, at random, all the time
 * @param speech files of speech, for real workers in a lane of their own
 * @param speechJobs of the good jobs: how many hold speech
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
    Map<Fault, Integer> faults,
    boolean stalls,
    List<Path> speech,
    int speechJobs,
    Duration patience,
    Path data,
    Map<String, String> settings) {

  int submitted() {
    return jobs + poison;
  }

  int times(Fault fault) {
    return faults.getOrDefault(fault, 0);
  }
}
