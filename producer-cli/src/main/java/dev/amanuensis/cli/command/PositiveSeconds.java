package dev.amanuensis.cli.command;

import picocli.CommandLine.ITypeConverter;

/** A whole number of seconds, from 1; at most what fits in Kafka's settings, about 24 days. */
public final class PositiveSeconds implements ITypeConverter<Long> {
  private static final long MOST = Integer.MAX_VALUE / 1000;

  @Override
  public Long convert(String value) {
    return WholeNumber.parse(value, 1, MOST, "a whole number of seconds from 1 to " + MOST);
  }
}
