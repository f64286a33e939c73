package dev.amanuensis.worker;

import dev.amanuensis.engine.ProductTime;
import dev.amanuensis.worker.admin.WorkerView;
import dev.amanuensis.worker.buffers.BufferManager;
import dev.amanuensis.worker.config.Setting;
import dev.amanuensis.worker.config.WorkerConfig;
import dev.amanuensis.worker.device.Device;
import dev.amanuensis.worker.intake.DeliveryLoop;
import dev.amanuensis.worker.intake.JobLoop;
import dev.amanuensis.worker.intake.ShareLoop;
import dev.amanuensis.worker.intake.ShareLoops;
import dev.amanuensis.worker.intake.Trials;
import dev.amanuensis.worker.job.JobSink;
import dev.amanuensis.worker.metrics.Meters;
import dev.amanuensis.worker.metrics.NpuGauges;
import dev.amanuensis.worker.metrics.PipelineGauges;
import dev.amanuensis.worker.metrics.PipelineMeters;
import dev.amanuensis.worker.metrics.WorkerMetrics;
import dev.amanuensis.worker.pipeline.Pipeline;
import dev.amanuensis.worker.pipeline.PipelineConfig;
import dev.amanuensis.worker.pipeline.PipelineSnapshot;
import dev.amanuensis.worker.publish.Heartbeats;
import dev.amanuensis.worker.publish.Partials;
import dev.amanuensis.worker.publish.ResultEncoder;
import dev.amanuensis.worker.publish.TransactionalPublisher;
import dev.amanuensis.worker.publish.WorkerIdentity;
import dev.amanuensis.worker.source.AudioPreparer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One worker of the fleet: the model, the pipeline and the Kafka side, assembled. */
public final class Worker implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);

  private final WorkerConfig config;
  private final WorkerModel model;
  private final AudioPreparer preparer;
  private final BufferManager buffers;
  private final Pipeline pipeline;
  private final DeliveryLoop loop;
  private final WorkerView view;
  private final HeartbeatSource heartbeat;
  private final Heartbeats heartbeats;

  /**
   * Loads the model and builds the stages; nothing is consumed before {@link #start}.
   *
   * @throws dev.amanuensis.model.ModelException if the model is missing or damaged
   * @throws IOException if the tokenizer can't be read
   */
  public Worker(WorkerConfig config) throws IOException {
    this(config, WorkerModel.load(config));
  }

  /** Builds the stages over a model, which it takes over; counts nothing. */
  public Worker(WorkerConfig config, WorkerModel model) {
    this(config, model, WorkerMetrics.none());
  }

  /** Builds the stages over a model, which it takes over. */
  public Worker(WorkerConfig config, WorkerModel model, WorkerMetrics metrics) {
    this(config, model, metrics, pipeline -> pipeline);
  }

  /**
   * As {@link #Worker(WorkerConfig, WorkerModel, WorkerMetrics)}.
   *
   * @param around what stands between Kafka and the pipeline: a fault harness's way in
   */
  public Worker(
      WorkerConfig config,
      WorkerModel model,
      WorkerMetrics metrics,
      UnaryOperator<JobSink> around) {
    this.config = config;
    this.model = model;
    this.preparer = SourceSettings.preparer(config);
    PipelineConfig stages = PipelineSettings.pipeline(config, model.device());
    this.buffers = new BufferManager(PipelineSettings.buffers(config, stages, model.model()));
    this.pipeline =
        new Pipeline(
            stages, model.model(), model.device(), preparer, buffers, new PipelineMeters(metrics));
    PipelineGauges.observe(metrics, pipeline::snapshot, kind(model.device()));
    NpuGauges.observe(metrics, model.device()::npu);
    String id = workerId(config);
    WorkerIdentity identity =
        new WorkerIdentity(
            id,
            model.model().name(),
            model.model().sha256(),
            model.model().profile(),
            model.device().description());
    this.loop =
        loop(config, id, identity, around.apply(pipeline), new TrialProcesses(config), metrics);
    metrics.observe(
        Meters.INFO,
        () -> 1,
        "worker",
        id,
        "model",
        identity.model(),
        "profile",
        identity.profile(),
        "device",
        identity.device());
    if (!model.device().simulated()) { // which needs no native engine
      metrics.observe(
          Meters.PRODUCTS, () -> ProductTime.ofEncoders().toNanos() / 1e9, "stage", "encode");
      metrics.observe(
          Meters.PRODUCTS, () -> ProductTime.ofDecoders().toNanos() / 1e9, "stage", "decode");
    }
    this.view =
        new LiveView(
            identity, pipeline, loop, metrics, config.text(Setting.GROUP_ID), model.device());
    this.heartbeat = new HeartbeatSource(view, config.text(Setting.GROUP_ID));
    this.heartbeats = heartbeats(new KafkaSettings(config, id));
    LOG.info(
        "worker {} has loaded {} ({}) for {}",
        id,
        identity.model(),
        identity.profile(),
        identity.device());
  }

  /** The topics that a worker with these settings needs, to be there before it starts. */
  public static List<String> topics(WorkerConfig config) {
    return KafkaSettings.topics(config);
  }

  /** Of the device that the settings led to. */
  private static String kind(Device device) {
    return device.simulated() ? "simulated" : device.npu().isPresent() ? "npu" : "cpu";
  }

  /** The Kafka side of a worker over any sink, not started. */
  static DeliveryLoop loop(
      WorkerConfig config,
      String id,
      WorkerIdentity identity,
      JobSink sink,
      Trials trials,
      WorkerMetrics metrics) {
    KafkaSettings kafka = new KafkaSettings(config, id);
    if (config.text(Setting.DELIVERY_MODE).equals("share")) {
      int consumers = config.count(Setting.SHARE_CONSUMERS);
      return new ShareLoops(
          IntStream.range(0, consumers)
              .mapToObj(
                  n ->
                      new ShareLoop(
                          kafka.share(n, consumers),
                          sink,
                          encoder(config, identity, kafka),
                          metrics))
              .toList());
    }
    return new JobLoop(
        kafka.intake(),
        sink,
        encoder(config, identity, kafka),
        new TransactionalPublisher(kafka.producer(), metrics),
        new Partials(kafka.partials(), identity),
        trials,
        metrics);
  }

  private static ResultEncoder encoder(
      WorkerConfig config, WorkerIdentity identity, KafkaSettings kafka) {
    return new ResultEncoder(
        identity,
        config.text(Setting.TRANSCRIPTS_TOPIC),
        config.text(Setting.DLQ_TOPIC),
        config.count(Setting.MAX_RECORD_BYTES),
        kafka.registry());
  }

  /** Null if none are wanted. */
  private Heartbeats heartbeats(KafkaSettings kafka) {
    Duration period = config.seconds(Setting.HEARTBEAT_SECONDS);
    return period.isZero()
        ? null
        : new Heartbeats(
            kafka.heartbeats(),
            kafka.registry(),
            config.text(Setting.WORKERS_TOPIC),
            period,
            heartbeat);
  }

  private static String workerId(WorkerConfig config) {
    String id = config.text(Setting.WORKER_ID);
    if (!id.isBlank()) {
      return id;
    }
    try {
      return InetAddress.getLocalHost().getHostName() + "-" + ProcessHandle.current().pid();
    } catch (UnknownHostException e) {
      return "worker-" + ProcessHandle.current().pid();
    }
  }

  /** What an admin server may see of this worker. */
  public WorkerView view() {
    return view;
  }

  /** Where the fleet finds this worker's admin server, or null; before {@link #start}. */
  public void advertise(String adminUrl) {
    heartbeat.adminUrl(adminUrl);
  }

  public void start() {
    if (heartbeats != null) {
      heartbeats.start();
    }
    loop.start();
  }

  /** Whether jobs are taken: the model is loaded and the group joined. */
  public boolean ready() {
    return loop.ready();
  }

  /** The pipeline at this moment. */
  public PipelineSnapshot snapshot() {
    return pipeline.snapshot();
  }

  /** What ended the worker, or null while it runs. */
  public Throwable failure() {
    return loop.failure();
  }

  /** Stops taking jobs, finishes those in flight within the grace period, publishes and leaves. */
  @Override
  public void close() {
    close(config.seconds(Setting.SHUTDOWN_GRACE_SECONDS));
  }

  /** As {@link #close()} with another grace period. */
  public void close(Duration grace) {
    heartbeat.ending("stopping");
    loop.close(grace);
    if (heartbeats != null) {
      heartbeat.ending("stopped");
      heartbeats.close();
    }
    pipeline.close();
    buffers.close();
    preparer.close();
    model.close();
  }
}
