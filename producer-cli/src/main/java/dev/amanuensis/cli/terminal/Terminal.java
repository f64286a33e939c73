package dev.amanuensis.cli.terminal;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Where a command writes: results to {@link #out}, all else to {@link #err}, both UTF-8 whatever
 * the locale says.
 */
public final class Terminal {
  private static final Pattern CONTROL = Pattern.compile("[\\p{Cntrl}\\x{80}-\\x{9f}]");

  private final PrintStream out;
  private final PrintStream err;
  private final boolean outIsTerminal;
  private final boolean errIsTerminal;
  private final boolean colours;

  /**
   * @param colours whether a terminal may be coloured
   */
  public Terminal(
      OutputStream out,
      OutputStream err,
      boolean outIsTerminal,
      boolean errIsTerminal,
      boolean colours) {
    this.out = new PrintStream(out, false, StandardCharsets.UTF_8);
    this.err = new PrintStream(err, true, StandardCharsets.UTF_8);
    this.outIsTerminal = outIsTerminal;
    this.errIsTerminal = errIsTerminal;
    this.colours = colours;
  }

  /** The process's own stdout and stderr. Colours follow NO_COLOR and TERM=dumb. */
  public static Terminal ofProcess(Map<String, String> environment) {
    boolean dumb = "dumb".equals(environment.get("TERM"));
    boolean plain = dumb || !environment.getOrDefault("NO_COLOR", "").isEmpty();
    return new Terminal(
        new FileOutputStream(FileDescriptor.out),
        new FileOutputStream(FileDescriptor.err),
        isTerminal(1),
        isTerminal(2) && !dumb,
        !plain);
  }

  /**
   * One line of what came from elsewhere: file names, keys and messages of other machines must not
   * move the cursor, nor forge a line.
   */
  public static String plain(Object text) {
    return CONTROL.matcher(String.valueOf(text)).replaceAll("?");
  }

  public PrintStream out() {
    return out;
  }

  public PrintStream err() {
    return err;
  }

  public boolean outIsTerminal() {
    return outIsTerminal;
  }

  /** Whether progress may be drawn and redrawn. */
  public boolean errIsTerminal() {
    return errIsTerminal;
  }

  /** Whether help on stdout may be coloured. */
  public boolean coloursOut() {
    return colours && outIsTerminal;
  }

  /** Whether messages on stderr may be coloured. */
  public boolean coloursErr() {
    return colours && errIsTerminal;
  }

  /** Java has no isatty for one descriptor (System.console() wants stdin too); Linux tells. */
  private static boolean isTerminal(int descriptor) {
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
      return target.startsWith("/dev/pts/")
          || target.startsWith("/dev/tty")
          || target.equals("/dev/console");
    } catch (IOException | UnsupportedOperationException e) {
      return false;
    }
  }
}
