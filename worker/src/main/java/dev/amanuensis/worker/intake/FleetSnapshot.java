package dev.amanuensis.worker.intake;

import java.util.List;

/**
 * A fleet at one moment, from Kafka's own data.
 *
 * @param group consumer group of the fleet
 * @param groupState as Kafka has it, for example STABLE; NONE where there is no such group
 * @param members of the group
 * @param deadLetters records on the DLQ
 */
public record FleetSnapshot(
    String group,
    String groupState,
    int members,
    List<LaneRow> lanes,
    long deadLetters,
    List<WorkerRow> workers) {

  /** Jobs that are not done, of all lanes. */
  public long backlog() {
    return lanes.stream().mapToLong(LaneRow::backlog).sum();
  }

  /**
   * One topic of jobs.
   *
   * @param lag records after the committed base: what other tools show
   * @param backlog of them those that are not done
   * @param started of them those that a worker has begun with
   */
  public record LaneRow(String topic, int partitions, long lag, long backlog, long started) {}

  /**
   * A worker by its last heartbeat.
   *
   * @param ageSeconds of the heartbeat
   * @param backlog of the partitions that it holds; 0 where its membership is not known
   * @param partitions that it holds
   */
  public record WorkerRow(
      String worker,
      String state,
      boolean ready,
      double ageSeconds,
      String model,
      String profile,
      String device,
      String adminUrl,
      int inFlight,
      int maxJobs,
      double jobsPerSecond,
      double windowsPerSecond,
      double audioPerSecond,
      double duty,
      long completed,
      long failed,
      int buffersInUse,
      long bufferBytes,
      int leaks,
      long memoryBytes,
      int partitions,
      long backlog) {}
}
