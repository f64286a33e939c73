package dev.amanuensis.bench.engine;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Locale;

/** The figures of {@link dev.amanuensis.engine.Engine#benchmark} as Markdown. */
final class EngineReport {
  private final StringBuilder text = new StringBuilder();

  private EngineReport() {}

  static String markdown(JsonNode figures) {
    EngineReport report = new EngineReport();
    report.machine(figures);
    report.gemms(figures.get("gemms"));
    figures.get("encoder").forEach(report::window);
    report.decoder(figures.get("decoder"));
    report.alone(figures.get("alone"));
    return report.text.toString();
  }

  private void machine(JsonNode figures) {
    JsonNode m = figures.get("machine");
    line("# Engine, profile %s", figures.get("profile").asText());
    line("%s", figures.get("cpu").asText());
    line(
        "Our kernels: %s; oneDNN: %s. One thread reads %.1f GB/s from memory and computes %.2f G"
            + " exponentials/s in softmax.",
        m.get("isa").asText(),
        m.get("dnnl_isa").asText(),
        number(m, "memory_read_gbs"),
        number(m, "softmax_gexp_s"));
  }

  private void gemms(JsonNode gemms) {
    line("%n## GEMMs of the encoder, one thread, weights packed");
    line("| GEMM | type | M x K x N | median us (p10 to p90) | GOPS | MB | kernel |");
    line("|---|---|---|---|---|---|---|");
    for (JsonNode g : gemms) {
      line(
          "| %s | %s | %.0f x %.0f x %.0f | %.0f (%.0f to %.0f) | %.0f | %.2f | %s |",
          g.get("name").asText(),
          g.get("type").asText(),
          number(g, "m"),
          number(g, "k"),
          number(g, "n"),
          number(g, "median_us"),
          number(g, "p10_us"),
          number(g, "p90_us"),
          number(g, "gops"),
          number(g, "bytes") / 1e6,
          g.get("implementation").asText());
    }
  }

  private void window(JsonNode w) {
    line("%n## Encoder, %s (%.0f rows), one thread", w.get("name").asText(), number(w, "rows"));
    line("Bound: the GEMMs at the rates above, the exponentials, and the bytes moved, one after");
    line("another. Attention's own kernel may beat the softmax rate, and so its bound. Rate in");
    line("place: GEMMs ms over what the same GEMMs took inside the stage.");
    line("");
    line(
        "| stage | ms | GOPS | GEMMs ms | exp ms | MB | bytes ms | rate in place | GEMMs / stage"
            + " | bound / stage |");
    line("|---|---|---|---|---|---|---|---|---|---|");
    for (JsonNode s : w.get("stages")) {
      line(
          "| %s | %.1f | %.0f | %.1f | %.1f | %.1f | %.1f | %s | %s | %s |",
          s.get("name").asText(),
          number(s, "ms"),
          number(s, "gops"),
          number(s, "gemm_ms"),
          number(s, "exp_ms"),
          number(s, "bytes") / 1e6,
          number(s, "bytes_ms"),
          percent(number(s, "of_rate")),
          percent(number(s, "of_gemm")),
          percent(number(s, "of_bound")));
    }
    line(
        "| **all** | **%.1f** (%.1f to %.1f) | %.0f | | | | bound %.1f | | | %s |",
        number(w, "median_us") / 1e3,
        number(w, "p10_us") / 1e3,
        number(w, "p90_us") / 1e3,
        number(w, "gop") / number(w, "median_us") * 1e6,
        number(w, "bound_ms"),
        percent(number(w, "of_bound")));
  }

  private void decoder(JsonNode rows) {
    line("%n## Decoder, one step for a batch of full windows");
    line("Bound: weights once, and each sequence's keys and values, at one thread's bandwidth.");
    line("");
    line("| batch | threads | ms a step (p10 to p90) | tokens/s | MB a step | bound | of bound |");
    line("|---|---|---|---|---|---|---|");
    for (JsonNode d : rows) {
      line(
          "| %.0f | %.0f | %.2f (%.2f to %.2f) | %.0f | %.1f | %.0f tokens/s | %s |",
          number(d, "batch"),
          number(d, "threads"),
          number(d, "median_us") / 1e3,
          number(d, "p10_us") / 1e3,
          number(d, "p90_us") / 1e3,
          number(d, "tokens_per_s"),
          number(d, "bytes") / 1e6,
          number(d, "bound_tokens_per_s"),
          percent(number(d, "of_bound")));
    }
  }

  private void alone(JsonNode a) {
    double encode = number(a, "encode_ms") + number(a, "cross_kv_ms");
    line(
        "%n## One 30 s file alone, %.0f threads, %.0f tokens",
        number(a, "threads"), number(a, "tokens"));
    line("| stage | ms | budget of the roadmap |");
    line("|---|---|---|");
    line("| log-mel (maximum, then window) | %.1f | 10 |", number(a, "mel_ms"));
    line("| encode (%.1f of it cross K/V) | %.1f | 15 |", number(a, "cross_kv_ms"), encode);
    line("| decode | %.1f | 20 |", number(a, "decode_ms"));
    line("| align | %.1f | 10 |", number(a, "align_ms"));
    line(
        "| together (without reading the file: 5) | %.1f | 59 |",
        number(a, "mel_ms") + encode + number(a, "decode_ms") + number(a, "align_ms"));
  }

  private static double number(JsonNode node, String field) {
    return node.get(field).asDouble();
  }

  /** A part without work (a layer norm has no GEMM) shows none. */
  private static String percent(double share) {
    return share == 0 ? "" : String.format(Locale.ROOT, "%.0f %%", 100 * share);
  }

  private void line(String format, Object... values) {
    text.append(String.format(Locale.ROOT, format, values)).append('\n');
  }
}
