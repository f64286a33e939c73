package dev.amanuensis.bench.peers;

import java.util.List;
import java.util.Locale;

/** Horizontal bars with their values, as SVG. */
final class BarChart {
  private static final int WIDTH = 760;
  private static final int LABEL = 300;
  private static final int ROW = 30;
  private static final int TOP = 52;

  private BarChart() {}

  /**
   * @param ours whether the bar stands out
   * @param note beside the value, for example the error rate
   */
  record Bar(String label, double value, String note, boolean ours) {}

  static String svg(String title, String subtitle, List<Bar> bars) {
    double most = bars.stream().mapToDouble(Bar::value).max().orElse(1);
    int height = TOP + ROW * bars.size() + 10;
    StringBuilder s = new StringBuilder();
    s.append(
        line(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\""
                + " font-family=\"sans-serif\" font-size=\"13\">",
            WIDTH, height));
    s.append(line("<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>", WIDTH, height));
    s.append(line("<text x=\"10\" y=\"22\" font-size=\"16\">%s</text>", escape(title)));
    s.append(line("<text x=\"10\" y=\"41\" fill=\"#666666\">%s</text>", escape(subtitle)));
    for (int i = 0; i < bars.size(); i++) {
      Bar bar = bars.get(i);
      int y = TOP + ROW * i;
      double width = (WIDTH - LABEL - 150) * bar.value() / most;
      s.append(
          line(
              "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>",
              LABEL - 8, y + 19, escape(bar.label())));
      s.append(
          line(
              "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>",
              LABEL, y + 4, width, ROW - 8, bar.ours() ? "#c2410c" : "#7890a8"));
      s.append(
          line(
              "<text x=\"%.1f\" y=\"%d\">%.1f ×  <tspan fill=\"#666666\">%s</tspan></text>",
              LABEL + width + 6, y + 19, bar.value(), escape(bar.note())));
    }
    return s.append("</svg>\n").toString();
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }

  private static String line(String format, Object... values) {
    return String.format(Locale.ROOT, format, values) + "\n";
  }
}
