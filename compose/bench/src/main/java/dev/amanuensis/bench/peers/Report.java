package dev.amanuensis.bench.peers;

import dev.amanuensis.bench.Machine;
import dev.amanuensis.bench.SpeechSet;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The table of a comparison, as Markdown.
 *
 * @param measure what the errors are measured against: WER, or drift
 * @param rates errors per word, in the order of the entries
 */
record Report(
    Machine machine,
    Settings settings,
    SpeechSet speech,
    String measure,
    List<Race.Entry> entries,
    List<Double> rates) {

  String markdown() {
    StringBuilder text = new StringBuilder();
    text.append(
        line(
            "%d files, %.1f s of audio; %d threads; instruction set: %s; language %s; temperature"
                + " %s; greedy; medians of %d interleaved runs (smallest–largest). Same PCM for"
                + " every engine.",
            speech.files().size(),
            speech.seconds(),
            settings.threads(),
            settings.isa(),
            settings.language() == null ? "detected" : settings.language(),
            settings.temperatures().stream()
                .map(Object::toString)
                .collect(Collectors.joining(", ")),
            settings.runs()));
    text.append(line("%nMachine: %s.%n", machine.describe()));
    text.append(
        line(
            "| engine | × realtime | core-seconds per minute of audio | %s | versions |", measure));
    text.append(line("|---|---|---|---|---|"));
    for (int i = 0; i < entries.size(); i++) {
      Race.Entry e = entries.get(i);
      text.append(
          line(
              "| %s | **%.1f** (%.1f–%.1f) | %.2f | %.2f %% | %s; %s |",
              e.contender().title(),
              e.speed().middle(),
              e.speed().low(),
              e.speed().high(),
              e.cpu().middle(),
              100 * rates.get(i),
              e.versions(),
              e.isa()));
    }
    ratio().ifPresent(r -> text.append(line("%n%s", r)));
    return text.toString();
  }

  /** Our fastest entry against the fastest peer. */
  private Optional<String> ratio() {
    Optional<Race.Entry> ours = best(true);
    Optional<Race.Entry> peer = best(false);
    if (ours.isEmpty() || peer.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        String.format(
            Locale.ROOT,
            "%s: %.2f × %s.",
            ours.get().contender().title(),
            ours.get().speed().middle() / peer.get().speed().middle(),
            peer.get().contender().title()));
  }

  private Optional<Race.Entry> best(boolean ours) {
    return entries.stream()
        .filter(e -> e.contender().ours() == ours)
        .max(Comparator.comparingDouble(e -> e.speed().middle()));
  }

  private static String line(String format, Object... values) {
    return String.format(Locale.ROOT, format, values) + "\n";
  }
}
