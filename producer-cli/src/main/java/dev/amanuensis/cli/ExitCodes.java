package dev.amanuensis.cli;

/** How every command ends. The numbers are documented in README.md and do not change. */
public final class ExitCodes {
  /** Everything asked for was done. */
  public static final int OK = 0;

  /** At least one file has no transcript; the others were done. */
  public static final int FAILED = 1;

  /** The command line asks for something that does not exist, an unknown language included. */
  public static final int USAGE = 2;

  /** The model is missing, damaged, or can't be fetched. */
  public static final int MODEL = 3;

  /** Kafka or the Schema Registry can't be reached, or lacks a topic. */
  public static final int UNREACHABLE = 4;

  /** No result within --timeout. */
  public static final int TIMEOUT = 5;

  /** A defect on our side, or a machine that refuses (disk, memory, native library). */
  public static final int INTERNAL = 70;

  /** Interrupted, as by Ctrl-C. */
  public static final int INTERRUPTED = 130;

  private ExitCodes() {}
}
