package dev.amanuensis.standalone;

import java.nio.file.Path;
import java.util.Map;

/** The user's directory for state that outlives a run (XDG base directory rules). */
final class UserState {
  private UserState() {}

  /** $XDG_STATE_HOME/amanuensis, else ~/.local/state/amanuensis. Not created. */
  static Path directory(Map<String, String> environment) {
    String xdg = environment.getOrDefault("XDG_STATE_HOME", "");
    if (xdg.startsWith("/")) { // the rules say that a relative path is to be ignored
      return Path.of(xdg, "amanuensis");
    }
    String home = environment.getOrDefault("HOME", "");
    if (!home.startsWith("/")) {
      home = System.getProperty("user.home", "/");
    }
    return Path.of(home, ".local", "state", "amanuensis");
  }
}
