package dev.amanuensis.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.FloatBuffer;

/** Largest absolute difference to an oracle, printed and held against a bound. */
final class Errors {
  private Errors() {}

  static void assertClose(String what, FloatBuffer actual, float[] expected, double bound) {
    assertThat(actual.remaining()).as(what + ": elements").isEqualTo(expected.length);
    double worst = 0;
    int where = 0;
    for (int i = 0; i < expected.length; i++) {
      double error = Math.abs((double) actual.get(actual.position() + i) - expected[i]);
      if (!(error <= worst)) { // catches NaN as well
        worst = error;
        where = i;
      }
    }
    System.out.printf(
        "%s: maximum absolute error %.3g (bound %.0e) over %d values%n",
        what, worst, bound, expected.length);
    assertThat(worst).as("%s, at element %d", what, where).isLessThanOrEqualTo(bound);
  }
}
