package dev.amanuensis.worker.intake;

/**
 * What a successor should know about a record that is not done.
 *
 * @param attempts workers that were lost while this record was alone in them
 */
record Mark(State state, int attempts) {
  /** Where a record stands. The order is part of the format. */
  enum State {
    /** At work beside others. If its worker is lost it becomes a suspect. */
    STARTED,
    /** At work with nothing else in its process. If its worker is lost that was an attempt. */
    ALONE,
    /** Its worker was lost: it must run alone. */
    SUSPECT,
    /** Given back in good order, begun: a successor may find how far it came. */
    LEFT
  }

  static final int MAX_ATTEMPTS = 63;

  static final Mark STARTED = new Mark(State.STARTED, 0);
  static final Mark LEFT = new Mark(State.LEFT, 0);

  /** What it means to the worker that finds it committed. */
  Mark inherited() {
    return switch (state) {
      case STARTED -> new Mark(State.SUSPECT, attempts);
      case ALONE -> lostAlone();
      case SUSPECT, LEFT -> this;
    };
  }

  /** What it becomes when its worker gives it back in good order; null: nothing to know. */
  Mark givenBack(boolean begun) {
    return switch (state) {
      case STARTED -> begun ? LEFT : null;
      case ALONE -> new Mark(State.SUSPECT, attempts);
      case SUSPECT, LEFT -> this;
    };
  }

  /** As if a worker had been lost with it alone. */
  Mark lostAlone() {
    return new Mark(State.SUSPECT, Math.min(MAX_ATTEMPTS, attempts + 1));
  }

  boolean suspect() {
    return state == State.SUSPECT || state == State.ALONE;
  }
}
