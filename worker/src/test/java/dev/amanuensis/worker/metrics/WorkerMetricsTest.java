package dev.amanuensis.worker.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.amanuensis.worker.job.AudioSource;
import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.TranscriptionOptions;
import dev.amanuensis.worker.job.TranscriptionResult;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Each event moves its meter, and the text is what a Prometheus server reads. */
class WorkerMetricsTest {
  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

  private final PrometheusText text = new PrometheusText();
  private final WorkerMetrics metrics = new WorkerMetrics(text.registry());

  private static Job job(String id) {
    return new Job(
        id,
        new AudioSource.Inline(ByteBuffer.allocate(0), null),
        null,
        TranscriptionOptions.DEFAULTS,
        0,
        null,
        Instant.now().minusSeconds(2),
        Map.of());
  }

  private static JobResult completed(Job job, double seconds) {
    return new JobResult(
        job,
        JobResult.Status.COMPLETED,
        new TranscriptionResult("", "en", 1, seconds, List.of()),
        null,
        null,
        null,
        Map.of("total", 1500.0));
  }

  private static JobResult failed(Job job, ErrorCode code) {
    return new JobResult(job, JobResult.Status.FAILED, null, null, code, "", Map.of("total", 1.0));
  }

  /** The value of a sample in the classic format. */
  private double sample(String nameAndLabels) {
    return text.scrape(false)
        .lines()
        .filter(l -> l.startsWith(nameAndLabels + " "))
        .mapToDouble(l -> Double.parseDouble(l.substring(nameAndLabels.length() + 1)))
        .findFirst()
        .orElse(Double.NaN);
  }

  @Test
  void countersExistBeforeTheirFirstEvent() {
    assertThat(sample("amanuensis_jobs_finished_total{status=\"failed\"}")).isZero();
    assertThat(sample("amanuensis_stage_timeouts_total{stage=\"encode\"}")).isZero();
    assertThat(sample("amanuensis_audio_seconds_total")).isZero();
    assertThat(sample("amanuensis_suspects_total")).isZero();
  }

  @Test
  void jobsAreCountedByStatusCodeAndLane() {
    metrics.jobAdmitted(job("a"), "audio-jobs.bulk");
    metrics.jobEnded(completed(job("a"), 11.5));
    metrics.jobEnded(failed(job("b"), ErrorCode.AUDIO_UNREADABLE));
    assertThat(sample("amanuensis_jobs_admitted_total{lane=\"audio-jobs.bulk\"}")).isEqualTo(1);
    assertThat(sample("amanuensis_jobs_finished_total{status=\"completed\"}")).isEqualTo(1);
    assertThat(sample("amanuensis_jobs_finished_total{status=\"failed\"}")).isEqualTo(1);
    assertThat(sample("amanuensis_jobs_failures_total{code=\"AUDIO_UNREADABLE\"}")).isEqualTo(1);
    assertThat(sample("amanuensis_audio_seconds_total")).isEqualTo(11.5);
    assertThat(sample("amanuensis_job_duration_seconds_sum{status=\"completed\"}")).isEqualTo(1.5);
    assertThat(sample("amanuensis_job_delay_seconds_count")).isEqualTo(1);
  }

  @Test
  void timesFallIntoTheirBuckets() {
    metrics.stageDone(StageName.ENCODE, job("a"), 700_000_000);
    metrics.queueWaited(StageName.ENCODE, job("a"), 15_000_000);
    String stage = "amanuensis_stage_duration_seconds_bucket{stage=\"encode\",le=\"%s\"}";
    assertThat(sample(stage.formatted("0.5"))).isZero();
    assertThat(sample(stage.formatted("1.0"))).isEqualTo(1);
    String wait = "amanuensis_queue_wait_seconds_bucket{stage=\"encode\",le=\"%s\"}";
    assertThat(sample(wait.formatted("0.01"))).isZero();
    assertThat(sample(wait.formatted("0.02"))).isEqualTo(1);
  }

  @Test
  void faultsOfStagesQueuesAndKafkaAreCounted() {
    metrics.stageTimedOut(StageName.DECODE);
    metrics.queueOverflowed(StageName.ENCODE);
    metrics.stageRestarted(StageName.PREPARE);
    metrics.retried(WorkerMetrics.Retry.TEMPERATURE);
    metrics.answered("UNDECODABLE");
    metrics.answered(null);
    metrics.suspect();
    metrics.transaction("ABORTED", 5_000_000);
    metrics.rebalanced("lost");
    assertThat(sample("amanuensis_stage_timeouts_total{stage=\"decode\"}")).isEqualTo(1);
    assertThat(sample("amanuensis_queue_overflows_total{stage=\"encode\"}")).isEqualTo(1);
    assertThat(sample("amanuensis_stage_restarts_total{stage=\"prepare\"}")).isEqualTo(1);
    assertThat(sample("amanuensis_retries_total{reason=\"temperature\"}")).isEqualTo(1);
    assertThat(sample("amanuensis_dead_letters_total{reason=\"UNDECODABLE\"}")).isEqualTo(1);
    assertThat(sample("amanuensis_suspects_total")).isEqualTo(1);
    assertThat(sample("amanuensis_transactions_total{outcome=\"aborted\"}")).isEqualTo(1);
    assertThat(sample("amanuensis_kafka_rebalances_total{change=\"lost\"}")).isEqualTo(1);
    assertThat(sample("amanuensis_stage_duration_seconds_count{stage=\"publish\"}")).isEqualTo(1);
  }

  @Test
  void decodingStepsShowTheOccupancyOfTheBatch() {
    metrics.decodeStep(3, 20_000_000);
    metrics.decodeStep(16, 60_000_000);
    assertThat(sample("amanuensis_decode_batch_bucket{le=\"4.0\"}")).isEqualTo(1);
    assertThat(sample("amanuensis_decode_batch_sum")).isEqualTo(19);
    assertThat(sample("amanuensis_decode_step_seconds_count")).isEqualTo(2);
    assertThat(sample("amanuensis_decode_rows_total")).isEqualTo(19);
  }

  @Test
  void observedValuesAreReadAtEachScrapeUntilForgotten() {
    AtomicInteger depth = new AtomicInteger(3);
    metrics.observe(Meters.QUEUE_DEPTH, depth::get, "stage", "encode");
    String name = "amanuensis_queue_depth{stage=\"encode\"}";
    assertThat(sample(name)).isEqualTo(3);
    depth.set(7);
    assertThat(sample(name)).isEqualTo(7);
    metrics.forget(Meters.QUEUE_DEPTH, "stage", "encode");
    assertThat(sample(name)).isNaN();
  }

  @Test
  void labelsAreThoseOfTheCatalogue() {
    assertThatThrownBy(() -> metrics.observe(Meters.QUEUE_DEPTH, () -> 0, "queue", "encode"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[stage]");
  }

  @Test
  void exemplarsNameTheJobAndItsTrace() {
    metrics.stageDone(StageName.ENCODE, job("job-\"1\"").inTrace(TRACE), 700_000_000);
    metrics.stageDone(StageName.DECODE, job("untraced"), 700_000_000);
    metrics.stageDone(StageName.PREPARE, job("x".repeat(500)), 700_000_000);
    metrics.stageDone(StageName.ALIGN, null, 700_000_000);
    String open = text.scrape(true);
    assertThat(open)
        .contains("# {job_id=\"job-\\\"1\\\"\",trace_id=\"" + TRACE + "\"} 0.7")
        .contains("# {job_id=\"untraced\"} 0.7")
        .doesNotContain("xxxx")
        .doesNotContain("span_id")
        .endsWith("# EOF\n");
    assertThat(open.lines().filter(l -> l.contains("_bucket{") && l.contains("# {job_id")))
        .hasSize(2);
    // OpenMetrics 1.0 has them nowhere else but at counters; some servers refuse the scrape.
    assertThat(open.lines().filter(l -> l.contains("# {job_id")))
        .allMatch(l -> l.contains("_bucket{") || l.contains("_total"));
    assertThat(text.scrape(false)).doesNotContain("job_id");
  }

  @Test
  void countingNothingIsAllowed() {
    WorkerMetrics none = WorkerMetrics.none();
    none.jobEnded(completed(job("a"), 1));
    none.decodeStep(1, 1);
    none.observe(Meters.READY, () -> 1);
  }
}
