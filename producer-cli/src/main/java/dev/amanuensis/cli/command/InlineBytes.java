package dev.amanuensis.cli.command;

import dev.amanuensis.cli.kafka.Placement;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A number of bytes, from none to what the producer puts into one record. */
final class InlineBytes implements ITypeConverter<Long> {
  @Override
  public Long convert(String value) {
    try {
      long bytes = Long.parseLong(value);
      if (bytes >= 0 && bytes <= Placement.MOST_INLINE_BYTES) {
        return bytes;
      }
    } catch (NumberFormatException e) {
      // the same message
    }
    throw new TypeConversionException(
        "'"
            + value
            + "' is not a whole number of bytes from 0 (nothing travels inside) to "
            + Placement.MOST_INLINE_BYTES);
  }
}
