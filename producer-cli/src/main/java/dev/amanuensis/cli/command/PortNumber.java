package dev.amanuensis.cli.command;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A TCP port to listen on; 0 stands for a free one. */
public final class PortNumber implements ITypeConverter<Integer> {
  private static final int MOST = 65_535;

  @Override
  public Integer convert(String value) {
    try {
      int port = Integer.parseInt(value);
      if (port >= 0 && port <= MOST) {
        return port;
      }
    } catch (NumberFormatException e) {
      // the same message
    }
    throw new TypeConversionException(
        "'" + value + "' is not a port from 0 (a free one) to " + MOST);
  }
}
