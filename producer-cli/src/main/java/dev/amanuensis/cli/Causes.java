package dev.amanuensis.cli;

/** What lies behind a failure that only wraps another one. */
public final class Causes {
  private Causes() {}

  /** The innermost cause, or the failure itself. */
  public static Throwable root(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null && root.getCause() != root) {
      root = root.getCause();
    }
    return root;
  }
}
