package dev.amanuensis.worker.metrics;

import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.distribution.HistogramSnapshot;
import io.micrometer.core.instrument.distribution.ValueAtPercentile;
import java.util.concurrent.TimeUnit;

/**
 * A timer at one moment, in milliseconds.
 *
 * @param count since the start
 * @param mean since the start
 * @param p50 of the last minutes, as p95, p99 and max; 0 if there was nothing
 */
public record TimerFigures(
    long count, double mean, double p50, double p95, double p99, double max) {
  static TimerFigures of(Timer timer) {
    HistogramSnapshot s = timer.takeSnapshot();
    return new TimerFigures(
        s.count(),
        s.mean(TimeUnit.MILLISECONDS),
        at(s, 0.5),
        at(s, 0.95),
        at(s, 0.99),
        s.max(TimeUnit.MILLISECONDS));
  }

  private static double at(HistogramSnapshot s, double percentile) {
    for (ValueAtPercentile v : s.percentileValues()) {
      if (v.percentile() == percentile) {
        double value = v.value(TimeUnit.MILLISECONDS);
        return Double.isFinite(value) ? value : 0;
      }
    }
    return 0;
  }
}
