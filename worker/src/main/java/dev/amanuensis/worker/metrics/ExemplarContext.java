package dev.amanuensis.worker.metrics;

import dev.amanuensis.worker.job.Job;
import io.prometheus.metrics.tracer.common.SpanContext;

/**
 * The job that the calling thread records a time for, so that a bucket can show a job that fell
 * into it. Prometheus' sampler knows spans; ours is the job ({@link PrometheusText} names it so).
 */
final class ExemplarContext implements SpanContext {
  /** An exemplar's labels have at most 128 characters, names and trace id (32) included. */
  private static final int MAX_ID = 64;

  private static final ThreadLocal<Job> CURRENT = new ThreadLocal<>();

  /** Records on behalf of a job; null for none. */
  static void with(Job job, Runnable recording) {
    CURRENT.set(job);
    try {
      recording.run();
    } finally {
      CURRENT.remove();
    }
  }

  @Override
  public String getCurrentTraceId() {
    Job job = CURRENT.get();
    if (job == null) {
      return null;
    }
    return job.traceId() == null ? "" : job.traceId();
  }

  @Override
  public String getCurrentSpanId() {
    Job job = CURRENT.get();
    return job == null || job.id().length() > MAX_ID ? null : job.id();
  }

  @Override
  public boolean isCurrentSpanSampled() {
    return CURRENT.get() != null;
  }

  @Override
  public void markCurrentSpanAsExemplar() {}
}
