package dev.amanuensis.cli.command;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A whole number of seconds, from 1; at most what fits in Kafka's settings, about 24 days. */
public final class PositiveSeconds implements ITypeConverter<Long> {
  private static final long MOST = Integer.MAX_VALUE / 1000;

  @Override
  public Long convert(String value) {
    try {
      long seconds = Long.parseLong(value);
      if (seconds >= 1 && seconds <= MOST) {
        return seconds;
      }
    } catch (NumberFormatException e) {
      // the same message
    }
    throw new TypeConversionException(
        "'" + value + "' is not a whole number of seconds from 1 to " + MOST);
  }
}
