package dev.amanuensis.worker.config;

import java.util.Locale;

/** Every setting of a worker: its key, default and meaning. The one catalogue of them. */
public enum Setting {
  BOOTSTRAP_SERVERS(
      "bootstrap.servers", "localhost:9092", "Kafka brokers, host:port, comma-separated"),
  SCHEMA_REGISTRY_URL(
      "schema.registry.url", "http://localhost:8081", "Confluent-compatible Schema Registry"),
  GROUP_ID("group.id", "amanuensis", "consumer group of the fleet"),
  GROUP_PROTOCOL("group.protocol", "consumer", "consumer (KIP-848) or classic"),
  DELIVERY_MODE(
      "delivery.mode",
      "exactly-once",
      "exactly-once (consumer group, transactions), or share (share group, at least once: for more"
          + " workers than partitions)"),
  SHARE_CONSUMERS(
      "share.consumers",
      "8",
      "consumers of a worker in delivery.mode=share; each takes new records once it has answered"
          + " all it holds"),
  WORKER_ID(
      "worker.id",
      "",
      "stable name of this worker slot, unique in the group; empty: host name and process id"),
  JOBS_TOPICS(
      "jobs.topics",
      "audio-jobs.interactive,audio-jobs,audio-jobs.bulk",
      "lanes: topics to take jobs from, comma-separated, the most urgent first"),
  LANE_SHARES(
      "lanes.shares",
      "16,4,1",
      "admissions of each lane relative to the others while they compete; the last for all further"
          + " lanes"),
  LANE_RESERVED_JOBS(
      "lanes.reserved.jobs", "4,4,2", "job slots that other lanes leave free for each lane"),
  LANE_RESERVED_BYTES(
      "lanes.reserved.bytes",
      "8388608",
      "bytes of intake.max.bytes that other lanes leave free for each lane"),
  CONTROL_TOPIC("control.topic", "audio-jobs.control", "topic of cancellations"),
  PARTIAL_TOPIC("partial.topic", "transcripts.partial", "topic of partial transcripts"),
  PARTIAL_INTERVAL_MS(
      "partial.interval.ms", "5000", "least time between two partial transcripts of one job"),
  MAX_ATTEMPTS(
      "max.attempts",
      "3",
      "processes that may be lost while a job is alone in them before it is dead-lettered; the last"
          + " one is a child of the worker; at most 8 in delivery.mode=share"),
  MAX_RETRIES("max.retries", "3", "times that a job is tried again after a failure that may pass"),
  RETRY_BACKOFF_MS(
      "retry.backoff.ms",
      "1000",
      "wait before the first retry; doubled each time, to 5 minutes at most"),
  TRANSCRIPTS_TOPIC("transcripts.topic", "transcripts", "topic of the results"),
  DLQ_TOPIC("dlq.topic", "audio-jobs.dlq", "topic of the dead letters"),
  MAX_RECORD_BYTES("max.record.bytes", "8388608", "largest record that the result topics take"),
  MODEL_DIR("model.dir", "", "directory of the model; empty: the user's cache"),
  PROFILE("profile", "fast", "arithmetic of the engine: reference (fp32) or fast (int8)"),
  DEVICE(
      "device",
      "auto",
      "what runs the encoder: cpu; npu (or xdna2), an AMD NPU; auto, the NPU if it opens, else the"
          + " cpu; simulated (no model, no transcription: to measure the pipeline)"),
  NPU_ARTIFACTS(
      "npu.artifacts", "", "folder of the NPU's programs; empty: npu in the user's cache"),
  NPU_XRT_LIBRARY("npu.xrt.library", "", "XRT's libxrt_coreutil.so.2; empty: where XRT usually is"),
  NPU_TIMEOUT_SECONDS("npu.timeout.seconds", "6", "longest time of one command on the NPU"),
  NPU_PROBE_SECONDS(
      "npu.probe.seconds", "10", "pause before an NPU that failed is tried again; it doubles"),
  NPU_MAX_WINDOWS("npu.max.windows", "4", "windows on the NPU at once, at most"),
  NPU_SPILL("npu.spill", "true", "let windows go to the CPU where that is faster"),
  NPU_CHECK_EVERY(
      "npu.check.every", "64", "one product of so many is compared with the CPU's; 0: none"),
  NPU_ROW_CHECKS("npu.row.checks", "true", "hold every row that the NPU computes to its checksum"),
  ALLOWED_ROOTS(
      "source.allowed.roots",
      "",
      "directories that file references may point into, separated by the path separator"),
  SPILL_DIR("source.spill.dir", "", "directory of temporary audio files; empty: the system's"),
  MAX_INLINE_BYTES(
      "max.inline.bytes", "8388608", "most bytes of audio inside a record; more is a reference"),
  HTTPS_HOSTS(
      "source.https.hosts",
      "",
      "hosts that https: references may name: host, host:port or *.domain, comma-separated; empty:"
          + " none"),
  HTTPS_PRIVATE_NETWORKS(
      "source.https.private.networks",
      "",
      "networks such as 10.1.0.0/16 that these hosts may be in though they are not public,"
          + " comma-separated"),
  HTTPS_CA_FILE(
      "source.https.ca.file",
      "",
      "PEM file of the certificate authorities to trust for references; empty: Java's own"),
  S3_BUCKETS(
      "source.s3.buckets",
      "",
      "buckets that s3: references may name, comma-separated; empty: none"),
  S3_ENDPOINT("source.s3.endpoint", "", "URL of S3-compatible storage; empty: Amazon's"),
  S3_REGION("source.s3.region", "", "region of the storage; empty: from the environment"),
  S3_PATH_STYLE("source.s3.path.style", "false", "true: the bucket in the path, as MinIO wants it"),
  FETCH_TIMEOUT_SECONDS(
      "source.fetch.timeout.seconds", "300", "longest time of one attempt to fetch a reference"),
  FETCH_ATTEMPTS(
      "source.fetch.attempts",
      "2",
      "attempts in a row to fetch a reference where the failure may pass; the job is tried again"
          + " later"),
  MAX_AUDIO_BYTES("source.max.bytes", "2147483648", "largest audio file"),
  MAX_AUDIO_SECONDS("source.max.seconds", "21600", "longest audio"),
  DECODE_TIMEOUT_SECONDS(
      "source.decode.timeout.seconds", "600", "longest time to decode one audio file"),
  SIMULATED_WINDOW_MICROS(
      "device.simulated.window.micros", "15000", "service time of the simulated device"),
  SIMULATED_STEP_MICROS(
      "device.simulated.step.micros", "0", "time of a step of the decoder that goes with it"),
  BUFFERS_CAP_BYTES(
      "buffers.cap.bytes", "50000000", "bytes of the mel, audio and encoder buffers together"),
  BUFFERS_MEL(
      "buffers.mel",
      "10/20 wait",
      "initial/most buffers, and what happens when all are in use: wait, fail or unpooled; or off"),
  BUFFERS_AUDIO("buffers.audio", "5/15 wait", "as buffers.mel"),
  BUFFERS_ENCODER("buffers.encoder", "5/15 wait", "as buffers.mel"),
  BUFFERS_CROSS_KV(
      "buffers.cross.kv",
      "0/0 wait",
      "as buffers.mel; 0/0: as many as windows can be encoded and decoded at once"),
  BUFFERS_WAIT_SECONDS("buffers.wait.seconds", "120", "longest wait for a buffer"),
  BUFFERS_LEAK_SECONDS("buffers.leak.seconds", "3600", "age from which a lease is a leak"),
  BUFFERS_DEBUG(
      "buffers.debug", "false", "true: poison free buffers and notice writes to them; slow"),
  PIPELINE_MODE("pipeline.mode", "staged", "staged, or sequential: one thread, one job at a time"),
  MAX_JOBS("pipeline.max.jobs", "32", "jobs in flight at most"),
  MAX_BYTES_IN_FLIGHT(
      "intake.max.bytes", "67108864", "bytes of inline audio held at most, roughly"),
  PREPARE_THREADS(
      "pipeline.prepare.threads",
      "0",
      "threads that fetch and decode audio, beside one that takes no bulk work and one for urgent"
          + " jobs alone; 0: up to four, at most the cores"),
  ENCODE_LANES(
      "pipeline.encode.lanes", "0", "windows in the encoder side by side; 0: one per core"),
  MAX_SEQUENCES(
      "pipeline.decode.sequences", "16", "sequences in the decoder at once, beams counted"),
  DECODE_LANES("pipeline.decode.lanes", "1", "batches in the decoder side by side"),
  PREPARE_QUEUE("pipeline.prepare.queue", "0", "jobs that may wait to be prepared; 0: all"),
  ENCODE_QUEUE("pipeline.encode.queue", "32", "prepared jobs that may wait for the encoder"),
  DECODE_QUEUE(
      "pipeline.decode.queue",
      "0",
      "windows that may wait for the decoder; 0: one per encoder lane"),
  AGEING_SECONDS(
      "pipeline.ageing.seconds",
      "10",
      "waiting so long makes work more urgent by one priority, and the gain doubles from then on"),
  PREPARE_TIMEOUT_SECONDS(
      "pipeline.prepare.timeout.seconds", "0", "for this stage alone; 0: the common one"),
  ENCODE_TIMEOUT_SECONDS(
      "pipeline.encode.timeout.seconds", "0", "for this stage alone; 0: the common one"),
  DECODE_STAGE_TIMEOUT_SECONDS(
      "pipeline.decode.timeout.seconds", "0", "for this stage alone; 0: the common one"),
  STAGE_TIMEOUT_SECONDS(
      "pipeline.stage.timeout.seconds",
      "900",
      "longest time a stage may spend on one window or file"),
  WORKERS_TOPIC("workers.topic", "audio-jobs.workers", "topic of the workers' heartbeats"),
  HEARTBEAT_SECONDS("heartbeat.seconds", "5", "time between two heartbeats; 0: none"),
  ADMIN_PORT(
      "admin.port",
      "9050",
      "port of health, statistics, metrics and the ops page; 0: a free one; off: none. Where nobody"
          + " set it and 9050 is taken, a free one"),
  ADMIN_HOST("admin.host", "127.0.0.1", "address that the admin server listens on"),
  ADMIN_ALLOWED_HOSTS(
      "admin.allowed.hosts",
      "",
      "host names, beside the loopback's, by which the admin server may be called,"
          + " comma-separated"),
  SHUTDOWN_GRACE_SECONDS("shutdown.grace.seconds", "30", "time for jobs in flight after SIGTERM");

  /** Keys that start with it go to every Kafka client and to the registry's. */
  public static final String CLIENT_PREFIX = "kafka.";

  private final String key;
  private final String defaultValue;
  private final String meaning;

  Setting(String key, String defaultValue, String meaning) {
    this.key = key;
    this.defaultValue = defaultValue;
    this.meaning = meaning;
  }

  public String key() {
    return key;
  }

  public String defaultValue() {
    return defaultValue;
  }

  public String meaning() {
    return meaning;
  }

  /** Environment variable: AMANUENSIS_ and the key in capitals with underscores. */
  public String variable() {
    return "AMANUENSIS_" + key.toUpperCase(Locale.ROOT).replace('.', '_');
  }
}
