package dev.amanuensis.cli.kafka;

import dev.amanuensis.schema.topic.Topics;
import java.util.Locale;

/** How urgent a job is; each lane has a topic of its own. */
public enum Lane {
  /** Somebody waits. */
  INTERACTIVE,
  NORMAL,
  /** It may wait. */
  BULK;

  /**
   * The lane's topic.
   *
   * @param normal topic of the normal lane; where it has another name, so have the others
   */
  public String topic(String normal) {
    return switch (this) {
      case INTERACTIVE -> normal + suffix(Topics.JOBS_INTERACTIVE);
      case NORMAL -> normal;
      case BULK -> normal + suffix(Topics.JOBS_BULK);
    };
  }

  private static String suffix(String topic) {
    return topic.substring(Topics.JOBS.length());
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
