package dev.amanuensis.worker.metrics;

import io.micrometer.core.instrument.Clock;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.Properties;

/** A registry that is read as text by a Prometheus server. Thread-safe. */
public final class PrometheusText {
  /** The classic format: no exemplars. */
  public static final String PLAIN = "text/plain; version=0.0.4; charset=utf-8";

  /** OpenMetrics: with exemplars. */
  public static final String OPEN_METRICS =
      "application/openmetrics-text; version=1.0.0; charset=utf-8";

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(
          new Config(), new PrometheusRegistry(), Clock.SYSTEM, new ExemplarContext());

  /**
   * Exemplars where OpenMetrics 1.0 has them, at buckets and counters: a Prometheus that finds them
   * elsewhere refuses the whole scrape.
   */
  private static final class Config implements PrometheusConfig {
    @Override
    public String get(String key) {
      return null;
    }

    @Override
    public Properties prometheusProperties() {
      Properties properties = new Properties();
      properties.setProperty("io.prometheus.exporter.exemplarsOnAllMetricTypes", "false");
      return properties;
    }
  }

  public PrometheusMeterRegistry registry() {
    return registry;
  }

  /** Whether an Accept header asks for OpenMetrics. */
  public static boolean wantsOpenMetrics(String accept) {
    return accept != null && accept.contains("application/openmetrics-text");
  }

  /**
   * All meters as text.
   *
   * @param openMetrics with exemplars, whose labels are {@code job_id} and {@code trace_id}
   */
  public String scrape(boolean openMetrics) {
    if (!openMetrics) {
      return registry.scrape(PLAIN);
    }
    // The sampler's labels are those of a span. No meter has a label span_id, and a quote inside a
    // label's value is escaped, so the text can't be anything else.
    return registry
        .scrape(OPEN_METRICS)
        .replace("# {span_id=\"", "# {job_id=\"")
        .replace(",trace_id=\"\"}", "}");
  }
}
