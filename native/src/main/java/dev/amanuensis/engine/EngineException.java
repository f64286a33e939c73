package dev.amanuensis.engine;

/** A call of the engine failed. Nothing has changed: no slot advanced, no handle was made. */
public final class EngineException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final EngineStatus status;

  public EngineException(EngineStatus status, String message) {
    super(message + " (" + status + ")");
    this.status = status;
  }

  public EngineStatus status() {
    return status;
  }
}
