package dev.amanuensis.bench.pipeline;

import java.util.List;

/**
 * A straight line through samples, by least squares.
 *
 * @param slope per unit of x
 * @param margin half the width of the slope's 95 % confidence interval. Neighbouring samples
 *     resemble each other; so they are averaged in blocks first.
 */
record Trend(double slope, double margin) {
  private static final int BLOCKS = 20;

  /** Student's t, 97.5 %, for 18 degrees of freedom. */
  private static final double T = 2.101;

  static Trend of(List<double[]> samples) {
    double[][] blocks = new double[BLOCKS][3];
    for (int i = 0; i < samples.size(); i++) {
      double[] block = blocks[(int) ((long) i * BLOCKS / samples.size())];
      block[0] += samples.get(i)[0];
      block[1] += samples.get(i)[1];
      block[2]++;
    }
    double mx = 0;
    double my = 0;
    for (double[] b : blocks) {
      b[0] /= b[2];
      b[1] /= b[2];
      mx += b[0] / BLOCKS;
      my += b[1] / BLOCKS;
    }
    double sxx = 0;
    double sxy = 0;
    for (double[] b : blocks) {
      sxx += (b[0] - mx) * (b[0] - mx);
      sxy += (b[0] - mx) * (b[1] - my);
    }
    double slope = sxy / sxx;
    double residuals = 0;
    for (double[] b : blocks) {
      double r = b[1] - my - slope * (b[0] - mx);
      residuals += r * r;
    }
    return new Trend(slope, T * Math.sqrt(residuals / (BLOCKS - 2) / sxx));
  }
}
