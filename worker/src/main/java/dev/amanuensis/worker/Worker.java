package dev.amanuensis.worker;

import dev.amanuensis.engine.CpuInfo;
import dev.amanuensis.engine.Engine;
import dev.amanuensis.worker.config.Setting;
import dev.amanuensis.worker.config.WorkerConfig;
import dev.amanuensis.worker.intake.DeliveryLoop;
import dev.amanuensis.worker.intake.JobLoop;
import dev.amanuensis.worker.intake.ShareLoop;
import dev.amanuensis.worker.intake.ShareLoops;
import dev.amanuensis.worker.job.JobSink;
import dev.amanuensis.worker.metrics.WorkerMetrics;
import dev.amanuensis.worker.pipeline.Pipeline;
import dev.amanuensis.worker.pipeline.PipelineConfig;
import dev.amanuensis.worker.publish.Partials;
import dev.amanuensis.worker.publish.ResultEncoder;
import dev.amanuensis.worker.publish.TransactionalPublisher;
import dev.amanuensis.worker.publish.WorkerIdentity;
import dev.amanuensis.worker.source.AudioPreparer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One worker of the fleet: the model, the pipeline and the Kafka side, assembled. */
public final class Worker implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);

  private final WorkerConfig config;
  private final Engine engine;
  private final AudioPreparer preparer;
  private final Pipeline pipeline;
  private final DeliveryLoop loop;

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
    this.engine = model.engine();
    this.preparer = SourceSettings.preparer(config);
    this.pipeline =
        new Pipeline(pipelineConfig(config), engine, model.tokenizer(), preparer, metrics);
    String id = workerId(config);
    CpuInfo cpu = Engine.cpu();
    WorkerIdentity identity =
        new WorkerIdentity(
            id,
            model.files().name(),
            model.files().sha256(),
            config.text(Setting.PROFILE),
            "cpu " + cpu.dnnlIsa());
    this.loop = loop(config, id, identity, around.apply(pipeline), metrics);
    LOG.info(
        "worker {} has loaded {} ({}) for {}", id, model.files().name(), identity.profile(), cpu);
  }

  /** The Kafka side of a worker over any sink, not started. */
  static DeliveryLoop loop(
      WorkerConfig config,
      String id,
      WorkerIdentity identity,
      JobSink sink,
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

  private static PipelineConfig pipelineConfig(WorkerConfig c) {
    PipelineConfig d = PipelineConfig.defaults();
    int lanes = c.count(Setting.ENCODE_LANES) > 0 ? c.count(Setting.ENCODE_LANES) : d.encodeLanes();
    int prepare = c.count(Setting.PREPARE_THREADS);
    return new PipelineConfig(
        c.count(Setting.MAX_JOBS),
        prepare > 0 ? prepare : d.prepareThreads(),
        lanes,
        c.count(Setting.MAX_SEQUENCES),
        c.count(Setting.MAX_SEQUENCES) + lanes,
        c.seconds(Setting.STAGE_TIMEOUT_SECONDS));
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

  public void start() {
    loop.start();
  }

  /** Whether jobs are taken: the model is loaded and the group joined. */
  public boolean ready() {
    return loop.ready();
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
    loop.close(grace);
    pipeline.close();
    preparer.close();
    engine.close();
  }
}
