package dev.amanuensis.cli.command;

import picocli.CommandLine.TypeConversionException;

/** A whole number within bounds, as an option's value. */
final class WholeNumber {
  private WholeNumber() {}

  /**
   * @param what it has to be, bounds included, for the message
   * @throws TypeConversionException if it is something else
   */
  static long parse(String value, long least, long most, String what) {
    try {
      long number = Long.parseLong(value);
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // the same message
    }
    throw new TypeConversionException("'" + value + "' is not " + what);
  }
}
