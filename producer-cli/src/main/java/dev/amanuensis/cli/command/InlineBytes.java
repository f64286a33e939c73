package dev.amanuensis.cli.command;

import dev.amanuensis.cli.kafka.Placement;
import picocli.CommandLine.ITypeConverter;

/** A number of bytes, from none to what the producer puts into one record. */
final class InlineBytes implements ITypeConverter<Long> {
  @Override
  public Long convert(String value) {
    long most = Placement.MOST_INLINE_BYTES;
    return WholeNumber.parse(
        value, 0, most, "a whole number of bytes from 0 (nothing travels inside) to " + most);
  }
}
