package dev.amanuensis.worker.job;

/** A failure that belongs to one job and its result; never to the worker. */
public final class JobException extends Exception {
  private static final long serialVersionUID = 1L;
  private final ErrorCode code;

  public JobException(ErrorCode code, String message) {
    super(message);
    this.code = code;
  }

  public JobException(ErrorCode code, String message, Throwable cause) {
    super(message, cause);
    this.code = code;
  }

  public ErrorCode code() {
    return code;
  }
}
