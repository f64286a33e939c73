package dev.amanuensis.chaos;

import java.util.Locale;

/** What can go wrong. The order is part of the plan: a seed stands for the same faults. */
enum Fault {
  /** SIGKILL of a worker. */
  KILL,
  /** SIGSTOP of a worker for longer than its session, then SIGCONT. */
  STOP,
  /** SIGKILL of a broker, which starts again. */
  BROKER,
  /** SIGSTOP of a broker for longer than its session, then SIGCONT: fetches and commits hang. */
  FREEZE,
  /** The registry answers nobody for some seconds, and a worker has to start meanwhile. */
  REGISTRY,
  /** The workers' spill folder has no byte left for some seconds. */
  DISK,
  /** The storage of referenced audio answers seconds late, or with an error. */
  FETCH,
  /** The device of a worker answers nothing for longer than the worker's session. */
  HANG,
  /** Workers come and go in good order, one after the other. */
  STORM;

  String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
