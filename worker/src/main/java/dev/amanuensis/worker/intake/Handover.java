package dev.amanuensis.worker.intake;

import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobListener;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.JobSink;
import dev.amanuensis.worker.job.Progress;
import dev.amanuensis.worker.publish.Partials;
import java.util.concurrent.ExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives jobs to the sink: with the lane's urgency, from where a predecessor was, and with a
 * listener that brings the answer back. Belongs to the loop thread.
 */
final class Handover {
  private static final Logger LOG = LoggerFactory.getLogger(Handover.class);

  /** The lane comes before the job's own priority. */
  private static final int LANE_STEP = 1_000;

  private final IntakeConfig config;
  private final Assignment assignment;
  private final JobSink sink;
  private final Outbox outbox;
  private final Partials partials;

  Handover(
      IntakeConfig config, Assignment assignment, JobSink sink, Outbox outbox, Partials partials) {
    this.config = config;
    this.assignment = assignment;
    this.sink = sink;
    this.outbox = outbox;
    this.partials = partials;
  }

  /** False if the sink takes nothing now. */
  boolean tryAdmit(Delivery d) {
    d.admitted = sink.tryAdmit(urgent(d), earlier(d), listener(d));
    return d.admitted != null;
  }

  private Job urgent(Delivery d) {
    Job j = d.job;
    // 0 for the middle one of three: only what is above it counts as urgent in the pipeline.
    int above = (config.lanes().size() - 1) / 2 - d.lane.rank;
    int own = Math.max(-LANE_STEP / 2, Math.min(LANE_STEP / 2 - 1, j.priority()));
    return j.withPriority(above * LANE_STEP + own);
  }

  private static Progress earlier(Delivery d) {
    if (d.earlier == null) {
      return null;
    }
    try {
      Progress progress = d.earlier.get();
      if (progress != null) {
        d.resumed = true;
        LOG.info(
            "job {} goes on at {} of {} s, where its last worker was",
            d.job.id(),
            progress.seek() / 100,
            progress.contentFrames() / 100);
      }
      return progress;
    } catch (InterruptedException | ExecutionException e) {
      return null; // best effort
    }
  }

  private JobListener listener(Delivery d) {
    int attempt = assignment.attempt(d.ticket);
    return new JobListener() {
      @Override
      public void done(JobResult result) {
        outbox.answer(d, result);
      }

      @Override
      public void progressed(Progress progress) {
        d.partial = true;
        partials.publish(d.record, d.job.id(), attempt, progress);
      }
    };
  }
}
