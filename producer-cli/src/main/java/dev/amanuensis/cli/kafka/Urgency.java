package dev.amanuensis.cli.kafka;

import java.time.Instant;

/**
 * When a job is to be done.
 *
 * @param priority larger is more urgent among the jobs that a worker has admitted
 * @param deadline after which nobody wants it any more, or null
 */
public record Urgency(Lane lane, int priority, Instant deadline) {
  public static final Urgency DEFAULT = new Urgency(Lane.NORMAL, 0, null);
}
