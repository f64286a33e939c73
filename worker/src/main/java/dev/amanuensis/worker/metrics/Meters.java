package dev.amanuensis.worker.metrics;

import java.util.List;
import java.util.Locale;

/**
 * Every meter of a worker: its name, type, unit, labels and meaning. The one catalogue: nothing is
 * registered beside it, and {@code docs/metrics.md} and the dashboards are tested against it.
 */
public enum Meters {
  JOBS_ADMITTED("jobs.admitted", Type.COUNTER, "", "jobs that entered the pipeline", "lane"),
  JOBS_FINISHED("jobs.finished", Type.COUNTER, "", "jobs that got a result", "status"),
  JOBS_FAILURES("jobs.failures", Type.COUNTER, "", "jobs without a transcription", "code"),
  JOBS_IN_FLIGHT("jobs.in.flight", Type.GAUGE, "", "jobs admitted and not answered yet"),
  JOBS_MAX("jobs.max", Type.GAUGE, "", "jobs in flight at most"),
  JOB_DURATION(
      "job.duration", Type.TIMER, "seconds", "from admission to the result of a job", "status"),
  JOB_DELAY(
      "job.delay",
      Type.TIMER,
      "seconds",
      "from the producer's submitted_at to admission: backlog and clock skew included"),
  AUDIO("audio", Type.COUNTER, "seconds", "audio of completed jobs"),
  COPIED("copied", Type.COUNTER, "bytes", "audio-sized data copied for jobs that got a result"),
  WINDOWS("windows", Type.COUNTER, "", "windows of at most 30 s that were decoded"),
  DECODE_ROWS(
      "decode.rows", Type.COUNTER, "", "rows of decoding steps: nearly the tokens produced"),

  STAGE_DURATION(
      "stage.duration",
      Type.TIMER,
      "seconds",
      "service time of a stage: a file in prepare, a window in encode, decode and align, a"
          + " transaction in publish",
      "stage"),
  STAGE_TIMEOUTS(
      "stage.timeouts", Type.COUNTER, "", "work that a stage took too long over", "stage"),
  STAGE_RESTARTS(
      "stage.restarts", Type.COUNTER, "", "stage threads that failed and were restarted", "stage"),
  QUEUE_WAIT("queue.wait", Type.TIMER, "seconds", "time between two stages, in the queue", "stage"),
  QUEUE_DEPTH("queue.depth", Type.GAUGE, "", "entries waiting for a stage", "stage"),
  QUEUE_CAPACITY("queue.capacity", Type.GAUGE, "", "entries that a queue takes", "stage"),
  QUEUE_OVERFLOWS(
      "queue.overflows", Type.COUNTER, "", "entries that had to wait for a full queue", "stage"),
  RETRIES(
      "retries",
      Type.COUNTER,
      "",
      "work done again: a window at a higher temperature or with its padding, a product that a"
          + " device failed, a transaction, a look-up in the registry",
      "reason"),
  DECODE_BATCH(
      "decode.batch", Type.SUMMARY, "", "sequences in a decoding step: the batch's occupancy"),
  DECODE_BATCH_MAX("decode.batch.limit", Type.GAUGE, "", "sequences that a step takes at most"),
  DECODE_STEP("decode.step", Type.TIMER, "seconds", "one decoding step of all live windows"),

  POOL_IN_USE("pool.in.use", Type.GAUGE, "", "leased buffers", "pool"),
  POOL_IDLE("pool.idle", Type.GAUGE, "", "buffers allocated and free", "pool"),
  POOL_LIMIT("pool.limit", Type.GAUGE, "", "buffers at most", "pool"),
  POOL_BYTES("pool.size", Type.GAUGE, "bytes", "memory of a pool's buffers", "pool"),
  POOL_CAP("pool.cap", Type.GAUGE, "bytes", "memory that the capped pools may take together"),
  POOL_ACQUIRED("pool.acquired", Type.COUNTER, "", "leases taken", "pool"),
  POOL_HITS("pool.hits", Type.COUNTER, "", "leases served by an idle buffer at once", "pool"),
  POOL_EXHAUSTED(
      "pool.exhausted", Type.COUNTER, "", "acquisitions that found no buffer at once", "pool"),
  POOL_LEAKS("pool.leaks", Type.GAUGE, "", "leases older than the limit, now", "pool"),

  DEVICE_BUSY("device.busy", Type.COUNTER, "seconds", "time that device owners worked", "device"),
  PRODUCTS(
      "products",
      Type.COUNTER,
      "seconds",
      "time in matrix products on the CPU: all threads of encode; the batch's of decode",
      "stage"),
  DEVICE_DUTY(
      "device.duty",
      Type.GAUGE,
      "ratio",
      "busy time over wall time of the device's owners, last seconds",
      "device"),
  DEVICE_EFFICIENCY(
      "device.efficiency",
      Type.GAUGE,
      "ratio",
      "useful operations over the device's peak, last seconds; NaN where the peak is unknown",
      "device"),

  NPU_PRESENT("npu.present", Type.GAUGE, "", "1 where the worker has an NPU, whatever its state"),
  NPU_READY(
      "npu.ready", Type.GAUGE, "", "1 while the NPU is in use, 0 while the CPU does its work"),
  NPU_BUSY("npu.busy", Type.COUNTER, "seconds", "time that the NPU had a command"),
  NPU_DUTY("npu.duty", Type.GAUGE, "ratio", "busy time over wall time of the NPU, last seconds"),
  NPU_EFFICIENCY(
      "npu.efficiency",
      Type.GAUGE,
      "ratio",
      "operations of its products over 50 TOPS while busy, last seconds; NaN while idle"),
  NPU_DISPATCHES(
      "npu.dispatches",
      Type.COUNTER,
      "",
      "runs submitted to the NPU: a product is one, or one for each slice of k"),
  NPU_SWITCHES("npu.switches", Type.COUNTER, "", "changes of the program on the array"),
  NPU_QUEUED("npu.queued", Type.GAUGE, "", "products that wait for the NPU or run on it"),
  NPU_WINDOWS(
      "npu.windows",
      Type.COUNTER,
      "",
      "windows by where they went: npu, or cpu because that was faster",
      "where"),
  NPU_PRODUCTS(
      "npu.products",
      Type.COUNTER,
      "",
      "products of its windows by where they were computed: npu, or cpu because it failed them",
      "where"),
  NPU_FAULTS("npu.faults", Type.COUNTER, "", "times that the NPU was given up"),
  NPU_TIMEOUTS("npu.timeouts", Type.COUNTER, "", "faults that were commands without an end"),
  NPU_WRONG("npu.wrong", Type.COUNTER, "", "products with wrong sums, found and mended"),
  NPU_CHECKS("npu.cross.checks", Type.COUNTER, "", "products compared sum by sum with the CPU's"),
  NPU_RETURNS("npu.returns", Type.COUNTER, "", "times that the NPU came back after a fault"),
  NPU_QUARANTINED(
      "npu.quarantined",
      Type.GAUGE,
      "",
      "contexts given up whose buffers are kept because a command may still be in flight"),

  KAFKA_LAG(
      "kafka.lag",
      Type.GAUGE,
      "",
      "records of a held partition from the base offset to its end",
      "topic",
      "partition"),
  KAFKA_BACKLOG(
      "kafka.backlog",
      Type.GAUGE,
      "",
      "records of a held partition that are not done: lag less those completed beyond the base",
      "topic",
      "partition"),
  KAFKA_PARTITIONS("kafka.partitions", Type.GAUGE, "", "partitions held"),
  KAFKA_PAUSED("kafka.paused", Type.GAUGE, "", "1 while back-pressure pauses the partitions"),
  KAFKA_REBALANCES("kafka.rebalances", Type.COUNTER, "", "changes of the assignment", "change"),
  INTAKE_BYTES("intake.size", Type.GAUGE, "bytes", "inline audio held"),
  TRANSACTIONS("transactions", Type.COUNTER, "", "transactions by how they ended", "outcome"),
  MARKS(
      "marks",
      Type.TIMER,
      "seconds",
      "one commit of which jobs are started, before their work begins"),
  DEAD_LETTERS("dead.letters", Type.COUNTER, "", "records copied to the DLQ", "reason"),
  SUSPECTS(
      "suspects", Type.COUNTER, "", "jobs that were in work when a worker was lost, run alone"),

  PROCESS_MEMORY(
      "process.memory", Type.GAUGE, "bytes", "resident memory: model, buffers and heap together"),
  READY("ready", Type.GAUGE, "", "1 while the worker takes jobs"),
  INFO("info", Type.GAUGE, "", "always 1; what runs", "worker", "model", "profile", "device");

  /** What a meter counts in. */
  public enum Type {
    COUNTER,
    GAUGE,
    TIMER,
    SUMMARY
  }

  /** All names begin with it. */
  public static final String PREFIX = "amanuensis.";

  private final String meter;
  private final Type type;
  private final String unit;
  private final String meaning;
  private final List<String> labels;

  Meters(String meter, Type type, String unit, String meaning, String... labels) {
    this.meter = PREFIX + meter;
    this.type = type;
    this.unit = unit;
    this.meaning = meaning;
    this.labels = List.of(labels);
  }

  /** Micrometer's name, with dots. */
  public String meter() {
    return meter;
  }

  public Type type() {
    return type;
  }

  /** Base unit, or empty. */
  public String unit() {
    return unit;
  }

  public String meaning() {
    return meaning;
  }

  public List<String> labels() {
    return labels;
  }

  /** The family's name on /metrics; timers and summaries add _bucket, _count, _sum and _max. */
  public String exposed() {
    String name = meter.replace('.', '_').toLowerCase(Locale.ROOT);
    String withUnit = unit.isEmpty() ? name : name + "_" + unit;
    return type == Type.COUNTER ? withUnit + "_total" : withUnit;
  }
}
