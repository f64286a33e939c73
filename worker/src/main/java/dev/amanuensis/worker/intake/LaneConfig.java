package dev.amanuensis.worker.intake;

/**
 * @param topic of the lane
 * @param reservedJobs slots of the sink that other lanes leave free for it
 * @param reservedBytes of the intake's bytes that other lanes leave free for it
 * @param share of the admissions while lanes compete, relative to the others' shares
 */
public record LaneConfig(String topic, int reservedJobs, long reservedBytes, int share) {}
