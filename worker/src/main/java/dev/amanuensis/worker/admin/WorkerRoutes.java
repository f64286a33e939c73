package dev.amanuensis.worker.admin;

import dev.amanuensis.worker.metrics.PrometheusText;
import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import java.util.function.Function;

/** Health, statistics, metrics, jobs and the ops page of one worker. */
final class WorkerRoutes implements Routes {
  private final WorkerState state;
  private final PrometheusText metrics;
  private final OpsPage page = OpsPage.load();

  WorkerRoutes(WorkerState state, PrometheusText metrics) {
    this.state = state;
    this.metrics = metrics;
  }

  @Override
  public void addTo(JavalinConfig config) {
    config.routes.get("/", page::serve);
    config.routes.get("/health", ctx -> Json.send(ctx, healthStatus(), Reports.health(state)));
    config.routes.get("/health/live", this::live);
    config.routes.get("/health/ready", this::ready);
    config.routes.get("/pipeline/stats", ctx -> withWorker(ctx, Reports::stats));
    config.routes.get("/metrics", this::metrics);
    config.routes.get("/jobs/{id}", this::job);
  }

  private int healthStatus() {
    return state.live() ? 200 : 503;
  }

  private void live(Context ctx) {
    boolean live = state.live();
    Json.send(
        ctx,
        live ? 200 : 503,
        new Documents.Status(live ? "up" : "down", live ? null : state.reason(), null));
  }

  private void ready(Context ctx) {
    String reason = state.reason();
    Json.send(
        ctx,
        reason == null ? 200 : 503,
        new Documents.Status(reason == null ? "up" : "down", reason, state.checks()));
  }

  private void metrics(Context ctx) {
    boolean open = PrometheusText.wantsOpenMetrics(ctx.header("Accept"));
    ctx.contentType(open ? PrometheusText.OPEN_METRICS : PrometheusText.PLAIN)
        .result(metrics.scrape(open));
  }

  private void job(Context ctx) {
    String id = ctx.pathParam("id");
    withWorker(
        ctx,
        w ->
            Reports.job(w, id)
                .orElseGet(
                    () -> {
                      ctx.status(404);
                      return new Documents.Problem(
                          "this worker does not hold the job; its result is on the topic of"
                              + " transcripts, or another worker has it");
                    }));
  }

  private void withWorker(Context ctx, Function<WorkerView, Object> document) {
    WorkerView worker = state.worker().orElse(null);
    if (worker == null) {
      Json.send(ctx, 503, new Documents.Problem(state.phase()));
      return;
    }
    Object body = document.apply(worker);
    Json.send(ctx, ctx.statusCode(), body);
  }
}
