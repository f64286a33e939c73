package dev.amanuensis.cli.command;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A job's id: any text but none, which a script without the id would give. */
final class JobId implements ITypeConverter<String> {
  @Override
  public String convert(String value) {
    if (value.isBlank()) {
      throw new TypeConversionException("the id is empty; is a variable of your script unset?");
    }
    return value;
  }
}
