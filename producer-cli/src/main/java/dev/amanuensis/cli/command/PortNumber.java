package dev.amanuensis.cli.command;

import picocli.CommandLine.ITypeConverter;

/** A TCP port to listen on; 0 stands for a free one. */
public final class PortNumber implements ITypeConverter<Integer> {
  private static final int MOST = 65_535;

  @Override
  public Integer convert(String value) {
    return (int) WholeNumber.parse(value, 0, MOST, "a port from 0 (a free one) to " + MOST);
  }
}
