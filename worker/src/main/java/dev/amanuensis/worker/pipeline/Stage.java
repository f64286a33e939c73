package dev.amanuensis.worker.pipeline;

/** The stages, in the order in which a job walks through them. */
enum Stage {
  PREPARE,
  ENCODE,
  DECODE
}
