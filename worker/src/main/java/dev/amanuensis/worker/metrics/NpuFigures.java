package dev.amanuensis.worker.metrics;

import dev.amanuensis.engine.NpuStatistics;

/**
 * An NPU at this moment.
 *
 * @param total since it was opened
 * @param duty of the last seconds
 * @param efficiency of the last seconds, as a share of the marketed peak; NaN if idle
 */
public record NpuFigures(NpuStatistics total, double duty, double efficiency) {}
