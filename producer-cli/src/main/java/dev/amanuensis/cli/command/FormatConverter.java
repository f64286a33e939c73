package dev.amanuensis.cli.command;

import dev.amanuensis.cli.format.TranscriptFormat;
import java.util.Arrays;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Formats by their names as users write them. */
final class FormatConverter implements ITypeConverter<TranscriptFormat> {
  @Override
  public TranscriptFormat convert(String value) {
    for (TranscriptFormat format : TranscriptFormat.values()) {
      if (format.extension().equals(value.toLowerCase(Locale.ROOT))) {
        return format;
      }
    }
    throw new TypeConversionException(
        "'" + value + "' is none of " + Arrays.toString(TranscriptFormat.values()));
  }
}
