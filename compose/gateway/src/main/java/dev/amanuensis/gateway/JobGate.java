package dev.amanuensis.gateway;

import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.Partial;
import dev.amanuensis.schema.Segment;
import dev.amanuensis.schema.Transcript;
import dev.amanuensis.schema.serde.AvroSerdes;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Between requests and Kafka: submits jobs, and hands each waiting request its transcript. Holds
 * nothing that matters after a restart: jobs and results are Kafka's. Thread-safe.
 */
final class JobGate implements AutoCloseable {
  private static final int MAX_REQUEST_BYTES = 64 << 20;
  private static final Duration SWEEP = Duration.ofMinutes(10);

  /** A result can't be published before its job was made, but clocks differ. */
  private static final long CLOCK_SKEW_MILLIS = 60_000;

  private final KafkaTarget target;
  private final GatewayConfig config;
  private final ClaimStore claims;
  private final Semaphore places;
  private final Map<String, Waiting> waiting = new ConcurrentHashMap<>();
  private final KafkaProducer<String, byte[]> producer;
  private final Serializer<AudioJob> serializer;
  private final TranscriptFeed transcripts;
  private final PartialFeed partials;
  private final Semaphore searches = new Semaphore(2);
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "gateway-timer");
            thread.setDaemon(true);
            return thread;
          });

  /** A request that waits; segments go to it as they become final if it streams. */
  private record Waiting(
      CompletableFuture<Transcript> result, Consumer<List<Segment>> onSegments) {}

  /** Ready to submit when this returns. */
  JobGate(KafkaTarget target, GatewayConfig config) throws IOException {
    this.target = target;
    this.config = config;
    this.places = new Semaphore(config.maxWaiting());
    this.claims =
        config.claimDirectory() == null
            ? null
            : new ClaimStore(config.claimDirectory(), config.claimTtl());
    Map<String, Object> configuration = new HashMap<>(target.commonConfiguration());
    configuration.put("acks", "all");
    configuration.put("enable.idempotence", true);
    configuration.put("max.request.size", MAX_REQUEST_BYTES);
    configuration.put("max.block.ms", 10_000);
    configuration.put("delivery.timeout.ms", 30_000);
    configuration.put("request.timeout.ms", 10_000);
    serializer = AvroSerdes.serializer(configuration);
    transcripts = new TranscriptFeed(target, waiting::containsKey, this::arrived);
    partials = new PartialFeed(target, this::streams, this::progressed);
    producer =
        new KafkaProducer<>(configuration, new StringSerializer(), new ByteArraySerializer());
    if (claims != null) {
      timer.scheduleWithFixedDelay(claims::sweep, 0, SWEEP.toSeconds(), TimeUnit.SECONDS);
    }
  }

  /**
   * Submits a job; the future has its transcript, or fails with an {@link ApiException}.
   *
   * @param audio of the given size; read before this returns
   * @param onSegments gets all segments that are final so far, now and then; null: not streamed
   * @throws ApiException 429, 413 or 503
   */
  CompletableFuture<Transcript> submit(
      AudioJob job, InputStream audio, long size, Consumer<List<Segment>> onSegments)
      throws IOException {
    if (!places.tryAcquire()) {
      throw ApiException.busy(config.maxWaiting());
    }
    String id = job.getJobId();
    CompletableFuture<Transcript> result = new CompletableFuture<>();
    result.whenComplete((transcript, failure) -> ended(id, failure == null));
    try {
      if (waiting.putIfAbsent(id, new Waiting(result, onSegments)) != null) {
        places.release();
        throw ApiException.of(409, "job_exists", "a request with this X-Job-Id is under way");
      }
      attach(job, audio, size);
      send(job, result);
      timer.schedule(() -> timeout(id, result), config.timeout().toMillis(), TimeUnit.MILLISECONDS);
      return result;
    } catch (IOException | RuntimeException e) {
      result.completeExceptionally(e);
      throw e;
    }
  }

  private void attach(AudioJob job, InputStream audio, long size) throws IOException {
    if (size <= config.inlineBytes()) {
      byte[] bytes = audio.readAllBytes();
      job.setAudio(ByteBuffer.wrap(bytes));
      job.setAudioSha256(sha256(new ByteArrayInputStream(bytes)));
    } else if (claims != null) {
      job.setAudioUri(claims.put(job.getJobId(), audio).toString());
    } else {
      throw ApiException.of(
          413,
          "file_too_large",
          "the file has %,d bytes, and without a claim directory at most %,d are taken"
              .formatted(size, config.inlineBytes()));
    }
  }

  private static String sha256(InputStream in) throws IOException {
    try {
      var digest = java.security.MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(digest.digest(in.readAllBytes()));
    } catch (java.security.NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java has it
    }
  }

  private void send(AudioJob job, CompletableFuture<Transcript> result) {
    try {
      byte[] value = serializer.serialize(target.jobsTopic(), job);
      producer.send(
          new ProducerRecord<>(target.jobsTopic(), job.getJobId(), value),
          (metadata, e) -> {
            if (e != null) {
              result.completeExceptionally(unavailable(e));
            }
          });
    } catch (RuntimeException e) {
      throw unavailable(e);
    }
  }

  private static ApiException unavailable(Exception e) {
    return ApiException.of(
        503, "kafka_unavailable", "the job could not be handed to Kafka: " + e.getMessage());
  }

  private void timeout(String id, CompletableFuture<Transcript> result) {
    result.completeExceptionally(
        ApiException.of(
            504,
            "timeout",
            "no transcript within %d s; the job goes on, and GET /v1/jobs/%s has its result later"
                .formatted(config.timeout().toSeconds(), id)));
  }

  private void arrived(Transcript transcript) {
    Waiting request = waiting.get(transcript.getJobId());
    if (request != null) {
      // Before the answer leaves: whoever has it may count on the audio being gone.
      ended(transcript.getJobId(), true);
      request.result().complete(transcript);
    }
  }

  private boolean streams(String id) {
    Waiting request = waiting.get(id);
    return request != null && request.onSegments() != null;
  }

  private void progressed(Partial partial) {
    Waiting request = waiting.get(partial.getJobId());
    if (request != null && request.onSegments() != null) {
      request.onSegments().accept(partial.getSegments());
    }
  }

  /**
   * @param done the transcript is there, so nobody needs the audio any more
   */
  private void ended(String id, boolean done) {
    if (waiting.remove(id) == null) {
      return;
    }
    places.release();
    if (done && claims != null) {
      claims.remove(id);
    }
  }

  /** Whether a request of this gateway waits for the job. */
  boolean isWaiting(String id) {
    return waiting.containsKey(id);
  }

  int waiting() {
    return waiting.size();
  }

  /**
   * The result of any job whose id has its time, whoever submitted it; null if there is none yet.
   *
   * @throws ApiException 429 if others are looking already
   */
  Transcript find(UUID id) {
    if (!searches.tryAcquire()) {
      throw ApiException.busy(2);
    }
    try {
      long madeAt = id.getMostSignificantBits() >>> 16; // RFC 9562, version 7
      return transcripts.find(id.toString(), madeAt - CLOCK_SKEW_MILLIS);
    } finally {
      searches.release();
    }
  }

  @Override
  public void close() {
    ApiException stopping =
        ApiException.of(503, "stopping", "the gateway is stopping; the job goes on");
    waiting.values().forEach(w -> w.result().completeExceptionally(stopping));
    timer.shutdownNow();
    partials.close();
    transcripts.close();
    producer.close(Duration.ofSeconds(5));
    serializer.close();
  }
}
