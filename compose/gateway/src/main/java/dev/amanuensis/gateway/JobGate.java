package dev.amanuensis.gateway;

import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.schema.AudioJob;
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
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
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
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final Duration LAST_ANSWERS = Duration.ofSeconds(5);

  /** A result can't be published before its job was made, but clocks differ. */
  private static final long CLOCK_SKEW_MILLIS = 60_000;

  /** A dead letter that waits for 30 days may be replayed; who looks further reads in vain. */
  private static final Duration LONGEST_JOB = Duration.ofDays(60);

  private final KafkaTarget target;
  private final GatewayConfig config;
  private final ClaimStore claims;
  private final ClaimRemovals removals;
  private final AnswerPool answers = new AnswerPool();
  private final WaitingRoom room;
  private final KafkaProducer<String, byte[]> producer;
  private final Serializer<AudioJob> serializer;
  private final TranscriptFeed transcripts;
  private final PartialFeed partials;
  private final Semaphore searches = new Semaphore(2);
  private final ScheduledExecutorService timer = timer();

  /** Ready to submit when this returns. */
  JobGate(KafkaTarget target, GatewayConfig config, ClaimStore claims) {
    this.target = target;
    this.config = config;
    this.claims = claims;
    this.removals = claims == null ? null : new ClaimRemovals(claims, config.claimTtl());
    this.room = new WaitingRoom(config.maxWaiting(), answers, this::remove);
    Map<String, Object> configuration = target.producerConfiguration(PATIENCE);
    configuration.put("delivery.timeout.ms", 30_000);
    configuration.put("request.timeout.ms", 10_000);
    serializer = AvroSerdes.serializer(configuration);
    transcripts = new TranscriptFeed(target, room::holds, room::arrived);
    partials = new PartialFeed(target, room::streams, room::progressed);
    producer =
        new KafkaProducer<>(configuration, new StringSerializer(), new ByteArraySerializer());
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

  private void remove(String id) {
    if (removals != null) {
      removals.remove(id);
    }
  }

  /** Threads that may be blocked by clients. */
  Executor answers() {
    return answers;
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
    WaitingRoom.Ticket ticket = room.enter(job.getJobId(), onSegments);
    try {
      attach(job, audio, size, ticket);
      send(job, ticket);
      Future<?> late =
          timer.schedule(
              () -> room.fail(ticket, late(job.getJobId())),
              config.timeout().toMillis(),
              TimeUnit.MILLISECONDS);
      ticket.result().whenComplete((transcript, failure) -> late.cancel(false));
      return ticket.result();
    } catch (IOException | RuntimeException e) {
      room.leave(ticket);
      throw e;
    }
  }

  private ApiException late(String id) {
    return ApiException.last(
        504,
        "timeout",
        "no transcript within %d s; the job goes on, and GET /v1/jobs/%s has its result later"
            .formatted(config.timeout().toSeconds(), id));
  }

  private void attach(AudioJob job, ClaimStore.Audio audio, long size, WaitingRoom.Ticket ticket)
      throws IOException {
    if (size <= config.inlineBytes()) {
      try (InputStream in = audio.open()) {
        job.setAudio(ByteBuffer.wrap(in.readAllBytes()));
      }
    } else if (claims != null) {
      job.setAudioSha256(sha256(audio));
      try {
        job.setAudioUri(claims.put(job.getJobId(), audio, size).toASCIIString());
        ticket.claimed();
      } catch (IOException e) {
        LOG.error("the claim store does not take audio: {}", e.getMessage());
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

  private void send(AudioJob job, WaitingRoom.Ticket ticket) {
    try {
      byte[] value = serializer.serialize(target.jobsTopic(), job);
      producer.send(
          new ProducerRecord<>(target.jobsTopic(), job.getJobId(), value),
          (metadata, e) -> {
            if (e != null) {
              room.fail(ticket, unavailable(e));
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

  /** Whether a request of this gateway waits for the job. */
  boolean isWaiting(String id) {
    return room.holds(id);
  }

  int waiting() {
    return room.waiting();
  }

  /**
   * The result of any job whose id has its time, whoever submitted it; null if there is none yet.
   *
   * @param id of version 7
   * @throws ApiException 429 if others are looking already
   */
  Transcript find(UUID id) {
    if (!searches.tryAcquire()) {
      throw ApiException.busy("others are looking results up already");
    }
    try {
      long madeAt = id.getMostSignificantBits() >>> 16; // RFC 9562, version 7
      Transcript found =
          transcripts.find(
              id.toString(),
              Math.max(0, madeAt - CLOCK_SKEW_MILLIS),
              madeAt + LONGEST_JOB.toMillis());
      if (found != null) {
        remove(id.toString()); // of a request that had given up, or of another gateway
      }
      return found;
    } finally {
      searches.release();
    }
  }

  /** Those who wait are told, and new requests refused; returns when the answers are written. */
  void stop() {
    room.close(ApiException.of(503, "stopping", "the gateway is stopping; the job goes on"));
    answers.awaitIdle(LAST_ANSWERS);
  }

  @Override
  public void close() {
    stop();
    timer.shutdownNow();
    partials.close();
    transcripts.close();
    producer.close(Duration.ofSeconds(5));
    serializer.close();
    answers.close();
    if (removals != null) {
      removals.close();
    }
  }
}
