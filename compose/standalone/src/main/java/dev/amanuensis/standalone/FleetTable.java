package dev.amanuensis.standalone;

import dev.amanuensis.cli.terminal.Terminal;
import dev.amanuensis.worker.intake.FleetSnapshot;
import dev.amanuensis.worker.intake.FleetSnapshot.LaneRow;
import dev.amanuensis.worker.intake.FleetSnapshot.WorkerRow;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A fleet as lines for a terminal. */
final class FleetTable {
  private static final int MAX_CELL = 28;

  private FleetTable() {}

  static List<String> lines(FleetSnapshot f) {
    List<String> lines = new ArrayList<>();
    lines.add(
        "group %s %s, %d members   backlog %,d   dead letters %,d"
            .formatted(
                plain(f.group()),
                f.groupState().toLowerCase(Locale.ROOT),
                f.members(),
                f.backlog(),
                f.deadLetters()));
    lines.add("");
    List<String[]> lanes = new ArrayList<>();
    lanes.add(new String[] {"LANE", "PARTITIONS", "BACKLOG", "STARTED", "LAG"});
    for (LaneRow l : f.lanes()) {
      lanes.add(
          new String[] {
            l.topic(), count(l.partitions()), count(l.backlog()), count(l.started()), count(l.lag())
          });
    }
    lines.addAll(aligned(lanes));
    lines.add("");
    if (f.workers().isEmpty()) {
      lines.add("no worker has been heard of for a minute");
      return lines;
    }
    List<String[]> workers = new ArrayList<>();
    workers.add(
        new String[] {
          "WORKER", "STATE", "PART", "BACKLOG", "JOBS", "JOBS/S", "AUDIO/S", "DUTY", "DONE",
          "FAILED", "POOLS", "MEMORY", "SEEN", "DEVICE"
        });
    f.workers().forEach(w -> workers.add(row(w)));
    lines.addAll(aligned(workers));
    return lines;
  }

  private static String[] row(WorkerRow w) {
    return new String[] {
      plain(w.worker()),
      plain(w.state()),
      count(w.partitions()),
      count(w.backlog()),
      w.inFlight() + "/" + w.maxJobs(),
      decimal("%.2f", w.jobsPerSecond()),
      decimal("%.1f", w.audioPerSecond()),
      decimal("%.0f%%", w.duty() * 100),
      count(w.completed()),
      count(w.failed()),
      w.buffersInUse() + (w.leaks() > 0 ? " (" + w.leaks() + " leaked)" : ""),
      decimal("%.0f MiB", w.memoryBytes() / 1048576.0),
      decimal("%.0f s", w.ageSeconds()),
      plain(w.device())
    };
  }

  private static List<String> aligned(List<String[]> rows) {
    int columns = rows.get(0).length;
    int[] width = new int[columns];
    for (String[] row : rows) {
      for (int i = 0; i < columns; i++) {
        width[i] = Math.max(width[i], row[i].length());
      }
    }
    List<String> lines = new ArrayList<>();
    for (String[] row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < columns; i++) {
        boolean left = i < 2 && columns > 5 || i == 0 || i == columns - 1 && columns > 5;
        String space = " ".repeat(width[i] - row[i].length());
        line.append(left ? row[i] + space : space + row[i]).append("  ");
      }
      lines.add(line.toString().stripTrailing());
    }
    return lines;
  }

  private static String count(long n) {
    return String.format(Locale.ROOT, "%,d", n);
  }

  private static String decimal(String format, double v) {
    return String.format(Locale.ROOT, format, v);
  }

  /** Names come from other machines: no control characters reach the terminal. */
  private static String plain(String text) {
    String clean = Terminal.plain(text);
    return clean.length() > MAX_CELL ? clean.substring(0, MAX_CELL - 1) + "…" : clean;
  }
}
