package dev.amanuensis.worker.metrics;

import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.pipeline.PipelineListener;
import dev.amanuensis.worker.pipeline.Stage;

/** What the pipeline reports, as meters. */
public final class PipelineMeters implements PipelineListener {
  private final WorkerMetrics metrics;

  public PipelineMeters(WorkerMetrics metrics) {
    this.metrics = metrics;
  }

  private static StageName name(Stage stage) {
    return StageName.valueOf(stage.name());
  }

  @Override
  public void entered(Stage stage, Job job, long waitedNanos) {
    metrics.queueWaited(name(stage), job, waitedNanos);
  }

  @Override
  public void left(Stage stage, Job job, long tookNanos, boolean failed) {
    metrics.stageDone(name(stage), job, tookNanos);
  }

  @Override
  public void stepped(int rows, long tookNanos) {
    metrics.decodeStep(rows, tookNanos);
  }

  @Override
  public void encodedAgain(Job job) {
    metrics.retried(WorkerMetrics.Retry.PADDING);
  }

  @Override
  public void windowDone(Job job, int attempts) {
    metrics.windowDone();
    for (int i = 1; i < attempts; i++) {
      metrics.retried(WorkerMetrics.Retry.TEMPERATURE);
    }
  }

  @Override
  public void aligned(Job job, long tookNanos) {
    metrics.stageDone(StageName.ALIGN, job, tookNanos);
  }

  @Override
  public void timedOut(Stage stage, Job job) {
    metrics.stageTimedOut(name(stage));
  }

  @Override
  public void overflowed(Stage stage) {
    metrics.queueOverflowed(name(stage));
  }

  @Override
  public void restarted(Stage stage, Throwable cause) {
    metrics.stageRestarted(name(stage));
  }
}
