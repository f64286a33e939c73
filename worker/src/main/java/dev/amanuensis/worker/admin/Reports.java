package dev.amanuensis.worker.admin;

import dev.amanuensis.engine.NpuStatistics;
import dev.amanuensis.worker.buffers.BufferStatistics;
import dev.amanuensis.worker.device.DeviceStatistics;
import dev.amanuensis.worker.metrics.DeviceWindow;
import dev.amanuensis.worker.metrics.NpuFigures;
import dev.amanuensis.worker.metrics.RecentJobs;
import dev.amanuensis.worker.metrics.StageName;
import dev.amanuensis.worker.metrics.TimerFigures;
import dev.amanuensis.worker.metrics.WorkerMetrics;
import dev.amanuensis.worker.pipeline.PipelineSnapshot;
import dev.amanuensis.worker.pipeline.PipelineSnapshot.HeldJob;
import dev.amanuensis.worker.pipeline.PipelineSnapshot.StageSnapshot;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** From what a worker knows of itself to the documents that are served. */
final class Reports {
  private Reports() {}

  static Documents.Health health(WorkerState state) {
    Optional<WorkerView> worker = state.worker();
    Optional<PipelineSnapshot> pipeline = worker.map(WorkerView::pipeline);
    return new Documents.Health(
        state.live() ? "up" : "down",
        state.ready(),
        state.reason(),
        state.checks(),
        worker.map(w -> worker(w, pipeline.orElseThrow())).orElse(null),
        pipeline.map(p -> pools(p.buffers())).orElse(Map.of()),
        pipeline.map(p -> cap(p.buffers())).orElse(null));
  }

  private static Documents.Worker worker(WorkerView w, PipelineSnapshot p) {
    var i = w.identity();
    return new Documents.Worker(
        i.workerId(),
        version(),
        i.model(),
        i.modelSha256(),
        i.profile(),
        i.device(),
        seconds(p.uptime()));
  }

  private static String version() {
    String own = Reports.class.getPackage().getImplementationVersion();
    return own == null ? "unknown" : own;
  }

  static Documents.Stats stats(WorkerView w) {
    PipelineSnapshot p = w.pipeline();
    WorkerMetrics m = w.metrics();
    Map<String, Documents.Queue> queues = new LinkedHashMap<>();
    Map<String, Documents.Stage> stages = new LinkedHashMap<>();
    for (StageSnapshot s : p.stages()) {
      StageName name = StageName.valueOf(s.stage().name());
      queues.put(
          name.label(),
          new Documents.Queue(s.queued(), s.queueCapacity(), s.overflows(), rounded(m.wait(name))));
      stages.put(name.label(), stage(s, m.service(name)));
    }
    for (StageName name : List.of(StageName.ALIGN, StageName.PUBLISH)) {
      TimerFigures t = m.service(name);
      stages.put(name.label(), stage(1, 0, t.count(), 0, 0, 0, t));
    }
    Map<String, Long> finished = new LinkedHashMap<>();
    p.ended().forEach((status, n) -> finished.put(status.name().toLowerCase(Locale.ROOT), n));
    return new Documents.Stats(
        p.mode(),
        seconds(p.uptime()),
        round(m.jobsPerSecond()),
        round(m.windowsPerSecond()),
        round(m.audioPerSecond()),
        p.inFlight(),
        p.maxJobs(),
        p.admitted(),
        p.refused(),
        finished,
        p.windows(),
        seconds(p.audio()),
        queues,
        stages,
        new Documents.Decoder(
            p.decoder().maxSequences(),
            p.decoder().windows(),
            p.decoder().steps(),
            round(p.decoder().occupancy())),
        device(p.device(), w.device(), w.npu().map(Reports::npu).orElse(null)),
        pools(p.buffers()),
        cap(p.buffers()),
        p.jobs().stream().map(Reports::held).toList(),
        m.recentJobs().list().stream().map(Reports::recent).toList());
  }

  private static Documents.Stage stage(StageSnapshot s, TimerFigures t) {
    return stage(s.threads(), s.inFlight(), s.count(), s.failures(), s.timeouts(), s.restarts(), t);
  }

  private static Documents.Stage stage(
      int threads,
      int busy,
      long count,
      long failures,
      long timeouts,
      long restarts,
      TimerFigures t) {
    return new Documents.Stage(
        threads,
        busy,
        count,
        failures,
        timeouts,
        restarts,
        round(t.p50()),
        round(t.p95()),
        round(t.p99()),
        round(t.mean()),
        round(t.max()));
  }

  private static Documents.Device device(DeviceStatistics d, DeviceWindow last, Documents.Npu npu) {
    return new Documents.Device(
        d.description(),
        d.simulated(),
        d.lanes(),
        round(last.duty()),
        known(last.efficiency()),
        d.windows(),
        d.failures(),
        npu);
  }

  private static Documents.Npu npu(NpuFigures n) {
    NpuStatistics s = n.total();
    return new Documents.Npu(
        s.state().name().toLowerCase(Locale.ROOT),
        s.name(),
        s.xrt(),
        round(n.duty()),
        known(n.efficiency()),
        s.windows(),
        s.spilledWindows(),
        s.products(),
        s.cpuProducts(),
        s.dispatches(),
        s.switches(),
        s.queued(),
        s.faults(),
        s.returns(),
        s.wrongProducts(),
        s.quarantined(),
        blankToNull(s.kind()),
        blankToNull(s.error()),
        blankToNull(s.hint()));
  }

  private static Double known(double v) {
    return Double.isFinite(v) ? Double.valueOf(round(v)) : null;
  }

  private static String blankToNull(String text) {
    return text.isBlank() ? null : text;
  }

  private static Map<String, Documents.Pool> pools(BufferStatistics b) {
    Map<String, Documents.Pool> pools = new LinkedHashMap<>();
    for (BufferStatistics.PoolStatistics p : b.pools()) {
      pools.put(
          p.pool().name().toLowerCase(Locale.ROOT),
          new Documents.Pool(
              p.enabled(),
              p.slotBytes(),
              p.initial(),
              p.most(),
              p.slots(),
              p.inUse(),
              p.waiting(),
              p.acquired(),
              round(p.hitRate()),
              p.exhausted(),
              p.failed(),
              p.unpooled(),
              p.leaks(),
              round(seconds(p.oldestLease()))));
    }
    return pools;
  }

  private static Documents.Cap cap(BufferStatistics b) {
    return new Documents.Cap(b.capBytes(), b.usedBytes());
  }

  /** The job of that id, in flight or done a short time ago. */
  static Optional<Object> job(WorkerView w, String id) {
    Optional<HeldJob> held =
        w.pipeline().jobs().stream().filter(j -> j.id().equals(id)).findFirst();
    return held.isPresent()
        ? held.map(Reports::held)
        : w.metrics().recentJobs().find(id).map(Reports::recent);
  }

  private static Documents.Held held(HeldJob j) {
    return new Documents.Held(
        j.id(),
        j.working() ? "RUNNING" : "WAITING",
        j.stage() == null ? null : j.stage().name().toLowerCase(Locale.ROOT),
        j.priority(),
        round(seconds(j.held())),
        round(j.audioSeconds()),
        round(j.seekSeconds()),
        j.windows());
  }

  private static Documents.Recent recent(RecentJobs.Entry e) {
    boolean timed = e.audioSeconds() > 0 && e.totalMillis() > 0;
    Map<String, Double> timings = new LinkedHashMap<>();
    e.timings().forEach((name, ms) -> timings.put(name, round(ms)));
    return new Documents.Recent(
        e.id(),
        e.status(),
        e.code(),
        round(e.audioSeconds()),
        round(e.totalMillis()),
        timed ? Double.valueOf(round(e.audioSeconds() * 1000 / e.totalMillis())) : null,
        timings,
        e.traceId(),
        e.endedAt().toString());
  }

  private static TimerFigures rounded(TimerFigures t) {
    return new TimerFigures(
        t.count(), round(t.mean()), round(t.p50()), round(t.p95()), round(t.p99()), round(t.max()));
  }

  private static double seconds(Duration d) {
    return round(d.toNanos() / 1e9);
  }

  /** Three digits are what a reader can use. */
  private static double round(double v) {
    return Double.isFinite(v) ? Math.round(v * 1000) / 1000.0 : 0;
  }
}
