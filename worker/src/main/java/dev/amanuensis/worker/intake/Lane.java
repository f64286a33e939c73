package dev.amanuensis.worker.intake;

import java.util.ArrayDeque;
import java.util.Deque;

/** The jobs of one topic that this worker holds. Belongs to the loop thread. */
final class Lane {
  final LaneConfig config;

  /** 0 for the most urgent one. */
  final int rank;

  /**
   * Delivered and not admitted, in order of arrival; those whose next try is not due are not here.
   */
  final Deque<Delivery> waiting = new ArrayDeque<>();

  /** Jobs in the sink. */
  int running;

  /** Of records that were delivered and whose result is not published. */
  long bytes;

  /** Admissions divided by the share: whose is smallest is next. */
  double turn;

  Lane(LaneConfig config, int rank) {
    this.config = config;
    this.rank = rank;
  }
}
