package dev.amanuensis.worker.pipeline;

import dev.amanuensis.worker.job.Job;

/** Where tests make stages slow or kill their threads. */
interface Faults {
  Faults NONE = (stage, job) -> {};

  /** The stage is about to work on the job. */
  void at(Stage stage, Job job) throws InterruptedException;
}
