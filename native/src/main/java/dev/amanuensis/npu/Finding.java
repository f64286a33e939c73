package dev.amanuensis.npu;

/**
 * What the doctor found about one thing.
 *
 * @param check short name, stable: scripts may look for it
 * @param found what is there
 * @param mend what to do about it; empty where nothing is wrong
 */
public record Finding(String check, Grade grade, String found, String mend) {
  /** How it is. */
  public enum Grade {
    OK,
    /** The device works without it, worse or unproven. */
    WARN,
    /** The device does not work. */
    BAD,
    /** Not looked at, because something before it is bad. */
    SKIPPED
  }

  static Finding ok(String check, String found) {
    return new Finding(check, Grade.OK, found, "");
  }

  static Finding warn(String check, String found, String mend) {
    return new Finding(check, Grade.WARN, found, mend);
  }

  static Finding bad(String check, String found, String mend) {
    return new Finding(check, Grade.BAD, found, mend);
  }

  static Finding skipped(String check, String because) {
    return new Finding(check, Grade.SKIPPED, because, "");
  }
}
