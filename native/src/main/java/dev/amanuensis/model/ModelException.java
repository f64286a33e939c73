package dev.amanuensis.model;

import java.io.IOException;
import java.util.Locale;

/** A model can't be had. The message is meant for people; the code is meant for programs. */
public final class ModelException extends IOException {
  private static final long serialVersionUID = 1;

  /** What kind of failure it is. */
  public enum Code {
    /** There is no model in the directory. */
    MISSING,
    /** A file differs from what it should be: a wrong hash, a wrong size, a damaged structure. */
    CORRUPT,
    /** No source could deliver the model. */
    UNREACHABLE,
    /** The disk is full. */
    NO_SPACE,
    /** A file can't be read or written for another reason. */
    IO,
    /** The thread was interrupted. */
    INTERRUPTED
  }

  private final Code code;

  public ModelException(Code code, String message) {
    this(code, message, null);
  }

  public ModelException(Code code, String message, Throwable cause) {
    super(message, cause);
    this.code = code;
  }

  public Code code() {
    return code;
  }

  /** Wraps a failure of the file system or the network; a full disk gets its own code. */
  static ModelException of(String action, IOException cause) {
    if (cause instanceof ModelException known) {
      return known;
    }
    if (isDiskFull(cause)) {
      return new ModelException(
          Code.NO_SPACE, action + ": the disk is full (" + cause.getMessage() + ")", cause);
    }
    String message = cause.getMessage() == null ? "" : cause.getMessage();
    String kind = cause.getClass() == IOException.class ? "" : cause.getClass().getSimpleName();
    String detail = kind + (kind.isEmpty() || message.isEmpty() ? "" : ": ") + message;
    return new ModelException(Code.IO, action + ": " + detail, cause);
  }

  static ModelException interrupted(String action) {
    Thread.currentThread().interrupt();
    return new ModelException(Code.INTERRUPTED, action + ": interrupted");
  }

  private static boolean isDiskFull(IOException cause) {
    String text = String.valueOf(cause.getMessage()).toLowerCase(Locale.ROOT);
    return text.contains("no space left") || text.contains("quota exceeded");
  }
}
