package dev.amanuensis.gateway;

import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.Partial;
import dev.amanuensis.schema.Segment;
import dev.amanuensis.schema.Transcript;
import dev.amanuensis.schema.serde.AvroSerdes;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Between requests and Kafka: submits jobs, and hands each waiting request its transcript. Holds
 * nothing that matters after a restart: jobs and results are Kafka's. Thread-safe.
 */
final class JobGate implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(JobGate.class);
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
  private final ScheduledExecutorService timer = timer();

  /** A request that waits; segments go to it as they become final if it streams. */
  private record Waiting(
      CompletableFuture<Transcript> result, Consumer<List<Segment>> onSegments) {}

  /** Ready to submit when this returns. */
  JobGate(KafkaTarget target, GatewayConfig config, ClaimStore claims) {
    this.target = target;
    this.config = config;
    this.places = new Semaphore(config.maxWaiting());
    this.claims = claims;
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
      timer.scheduleWithFixedDelay(this::sweep, 0, SWEEP.toSeconds(), TimeUnit.SECONDS);
    }
  }

  private static ScheduledExecutorService timer() {
    ScheduledThreadPoolExecutor timer =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "gateway-timer");
              thread.setDaemon(true);
              return thread;
            });
    timer.setRemoveOnCancelPolicy(true); // else each answered request stays until its time limit
    return timer;
  }

  private void sweep() {
    try {
      claims.sweep(Instant.now().minus(config.claimTtl()));
    } catch (RuntimeException e) {
      LOG.error("sweeping the claim store", e); // and the next time it is tried again
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
      AudioJob job, ClaimStore.Audio audio, long size, Consumer<List<Segment>> onSegments)
      throws IOException {
    if (!places.tryAcquire()) {
      throw ApiException.busy(
          "%d requests wait for their transcripts already".formatted(config.maxWaiting()));
    }
    String id = job.getJobId();
    CompletableFuture<Transcript> result = new CompletableFuture<>();
    if (waiting.putIfAbsent(id, new Waiting(result, onSegments)) != null) {
      places.release();
      throw ApiException.of(409, "job_exists", "a request with this X-Job-Id is under way");
    }
    result.whenComplete((transcript, failure) -> ended(id, failure == null));
    try {
      attach(job, audio, size);
      send(job, result);
      Future<?> late =
          timer.schedule(
              () -> timeout(id, result), config.timeout().toMillis(), TimeUnit.MILLISECONDS);
      result.whenComplete((transcript, failure) -> late.cancel(false));
      return result;
    } catch (IOException | RuntimeException e) {
      result.completeExceptionally(e);
      throw e;
    }
  }

  private void attach(AudioJob job, ClaimStore.Audio audio, long size) throws IOException {
    if (size <= config.inlineBytes()) {
      try (InputStream in = audio.open()) {
        job.setAudio(ByteBuffer.wrap(in.readAllBytes()));
      }
    } else if (claims != null) {
      job.setAudioSha256(sha256(audio));
      try {
        job.setAudioUri(claims.put(job.getJobId(), audio, size).toASCIIString());
      } catch (IOException e) {
        LOG.error("the claim store does not take audio", e);
        throw ApiException.of(
            503, "claim_store_unavailable", "the audio could not be stored for the workers");
      }
    } else {
      throw ApiException.of(
          413,
          "file_too_large",
          "the file has %,d bytes, and without a claim store at most %,d are taken"
              .formatted(size, config.inlineBytes()));
    }
  }

  private static String sha256(ClaimStore.Audio audio) throws IOException {
    try (InputStream in = audio.open()) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      in.transferTo(new DigestOutputStream(OutputStream.nullOutputStream(), digest));
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
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
      throw ApiException.busy("others are looking results up already");
    }
    try {
      long madeAt = id.getMostSignificantBits() >>> 16; // RFC 9562, version 7
      Transcript found = transcripts.find(id.toString(), madeAt - CLOCK_SKEW_MILLIS);
      if (found != null && claims != null) {
        claims.remove(id.toString()); // of a request that had given up, or of another gateway
      }
      return found;
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
