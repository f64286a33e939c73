package dev.amanuensis.model;

import java.nio.file.Path;
import java.util.Map;

/** The user's cache directory for this program (XDG base directory rules). */
public final class UserCache {
  private UserCache() {}

  /**
   * $XDG_CACHE_HOME/amanuensis, else $HOME/.cache/amanuensis, else the same in the home directory
   * of the user database, else a directory of the user's own in the temporary directory. Not
   * created.
   */
  public static Path directory(Map<String, String> environment) {
    String xdg = environment.getOrDefault("XDG_CACHE_HOME", "");
    if (xdg.startsWith("/")) { // the rules say that a relative path is to be ignored
      return Path.of(xdg, "amanuensis");
    }
    for (String home :
        new String[] {environment.getOrDefault("HOME", ""), System.getProperty("user.home", "")}) {
      if (home.startsWith("/")) {
        return Path.of(home, ".cache", "amanuensis");
      }
    }
    return Path.of(
        System.getProperty("java.io.tmpdir"), "amanuensis-" + System.getProperty("user.name"));
  }
}
