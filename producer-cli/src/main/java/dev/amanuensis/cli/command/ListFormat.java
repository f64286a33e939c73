package dev.amanuensis.cli.command;

import java.util.Locale;

/** How a command prints facts: for eyes, or a JSON document per line for scripts. */
enum ListFormat {
  TXT,
  JSON;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
