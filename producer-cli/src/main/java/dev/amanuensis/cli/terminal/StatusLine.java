package dev.amanuensis.cli.terminal;

import java.io.PrintStream;
import java.time.Duration;
import java.util.function.Supplier;

/**
 * One line at the foot of the terminal that says what is going on: a spinner, a text and the time
 * since it began. Nothing at all is written where stderr is not a terminal. Thread-safe; results
 * and messages go through {@link #above} so that the line never mixes with them.
 */
public final class StatusLine implements AutoCloseable {
  private static final String FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
  private static final long FRAME_MILLIS = 120;
  private static final int MAX_WIDTH = 78;
  private static final int BAR_WIDTH = 24;
  private static final String CLEAR = "\r\u001b[K";

  private final PrintStream err;
  private final Thread painter;
  private Supplier<String> text;
  private long since;
  private int frame;
  private boolean shown;
  private boolean closed;

  public StatusLine(Terminal terminal) {
    this.err = terminal.err();
    if (terminal.errIsTerminal()) {
      painter = new Thread(this::paint, "status-line");
      painter.setDaemon(true);
      painter.start();
    } else {
      painter = null;
    }
  }

  /** Shows a text until the next call. */
  public void show(String newText) {
    show(() -> newText);
  }

  /** Shows a text that is asked for anew each time the line is drawn; it must be quick. */
  public synchronized void show(Supplier<String> newText) {
    text = newText;
    since = System.nanoTime();
  }

  /** Changes the text; the time shown goes on if there was one already. */
  public synchronized void change(String newText) {
    if (text == null) {
      since = System.nanoTime();
    }
    text = () -> newText;
  }

  /** Shows nothing until the next text. */
  public synchronized void hide() {
    clear();
    text = null;
  }

  /** Writes something with the line out of its way. */
  public synchronized void above(Runnable write) {
    clear();
    write.run();
  }

  /** Writes a message, also where no line is drawn. */
  public void say(String message) {
    above(() -> err.println(message));
  }

  @Override
  public synchronized void close() {
    hide();
    closed = true;
    notifyAll();
  }

  /** A bar and a percentage, for example {@code [=====> ] 42%}. */
  public static String bar(long done, long total) {
    long bounded = Math.max(0, Math.min(done, total));
    int filled = total == 0 ? BAR_WIDTH : (int) (BAR_WIDTH * bounded / total);
    String head = filled < BAR_WIDTH ? ">" : "";
    return String.format(
        "[%s%s%s] %3d%%",
        "=".repeat(filled),
        head,
        " ".repeat(BAR_WIDTH - filled - head.length()),
        total == 0 ? 100 : 100 * bounded / total);
  }

  private void clear() {
    if (shown) {
      err.print(CLEAR);
      err.flush();
      shown = false;
    }
  }

  private synchronized void paint() {
    while (!closed) {
      if (text != null) {
        Duration elapsed = Duration.ofNanos(System.nanoTime() - since);
        frame = (frame + 1) % FRAMES.length();
        String line =
            FRAMES.charAt(frame)
                + " "
                + Terminal.plain(text.get())
                + "  "
                + elapsed.toSeconds()
                + " s";
        err.print(CLEAR + (line.length() > MAX_WIDTH ? line.substring(0, MAX_WIDTH) : line));
        err.flush();
        shown = true;
      }
      try {
        wait(FRAME_MILLIS);
      } catch (InterruptedException e) {
        return;
      }
    }
  }
}
