package dev.amanuensis.worker.publish;

import dev.amanuensis.schema.DeadLetter;
import dev.amanuensis.schema.Segment;
import dev.amanuensis.schema.Status;
import dev.amanuensis.schema.Transcript;
import dev.amanuensis.schema.Word;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.schema.serde.RegistryFailure;
import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.TranscriptionResult;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.Serializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Serialises results and dead letters, and keeps them within the size that the topics take. */
public final class ResultEncoder implements AutoCloseable {
  /** Room for the record's key, headers and framing. */
  private static final int OVERHEAD = 4096;

  /** Room for a dead letter's message, stack summary and other small fields. */
  private static final int LETTER_OVERHEAD = 16 << 10;

  private static final String UNDECODABLE = "UNDECODABLE";
  private static final int MAX_MESSAGE_CHARS = 1000;
  private static final Logger LOG = LoggerFactory.getLogger(ResultEncoder.class);

  private final WorkerIdentity identity;
  private final String transcriptsTopic;
  private final String dlqTopic;
  private final int maxBytes;
  private final Serializer<Transcript> transcripts;
  private final Serializer<DeadLetter> deadLetters;

  /**
   * @param clientConfig with the registry's URL
   * @param maxBytes of one record; max.message.bytes of both topics
   */
  public ResultEncoder(
      WorkerIdentity identity,
      String transcriptsTopic,
      String dlqTopic,
      int maxBytes,
      Map<String, Object> clientConfig) {
    this.identity = identity;
    this.transcriptsTopic = transcriptsTopic;
    this.dlqTopic = dlqTopic;
    this.maxBytes = maxBytes;
    this.transcripts = AvroSerdes.serializer(clientConfig);
    this.deadLetters = AvroSerdes.serializer(clientConfig);
  }

  /**
   * A transcript, or FAILED with RESULT_TOO_LARGE where it would not fit; and a dead letter where a
   * person may want to replay the job.
   *
   * @param record the job's
   * @param attempt that gave the result, 1 for the first
   * @throws RegistryFailure if the registry can't be used; nothing else is thrown
   */
  public Encoded encode(ConsumerRecord<byte[], byte[]> record, JobResult result, int attempt) {
    byte[] value;
    try {
      value = transcripts.serialize(transcriptsTopic, transcript(result, attempt));
    } catch (RegistryFailure e) {
      throw e;
    } catch (RuntimeException e) {
      LOG.error("the result of job {} can't be written", result.job().id(), e);
      JobResult failed =
          failed(result, ErrorCode.INTERNAL, "a defect of the worker: " + e, summary(e));
      return withLetter(record, failed, attempt, maxBytes - OVERHEAD);
    }
    if (value.length > maxBytes - OVERHEAD) {
      String message =
          "the transcript has %,d bytes, at most %,d are sent"
              .formatted(value.length, maxBytes - OVERHEAD);
      JobResult failed = failed(result, ErrorCode.RESULT_TOO_LARGE, message, null);
      return withLetter(record, failed, attempt, maxBytes - OVERHEAD);
    }
    return withLetter(record, result, value, attempt, maxBytes - OVERHEAD);
  }

  /** What is sent in the place of outputs that a topic does not take. */
  public Encoded smaller(ConsumerRecord<byte[], byte[]> record, JobResult result, int attempt) {
    if (result.status() != JobResult.Status.COMPLETED) {
      return withLetter(record, bare(result), attempt, 0);
    }
    String message = "the transcript is larger than the topic takes: see its max.message.bytes";
    JobResult failed = failed(result, ErrorCode.RESULT_TOO_LARGE, message, null);
    return withLetter(record, failed, attempt, 0);
  }

  private static JobResult failed(JobResult r, ErrorCode code, String message, String stack) {
    return bare(
        new JobResult(
            r.job(),
            JobResult.Status.FAILED,
            null,
            r.audioSha256(),
            code,
            message,
            r.timings() == null ? Map.of() : r.timings(),
            stack));
  }

  /** Without the producer's metadata, which can be large. */
  private static JobResult bare(JobResult r) {
    Job j = r.job();
    Job bare =
        new Job(
            j.id(),
            j.source(),
            j.contentType(),
            j.options(),
            j.priority(),
            j.deadline(),
            j.submittedAt(),
            Map.of(),
            j.traceId());
    return new JobResult(
        bare,
        r.status(),
        null,
        r.audioSha256(),
        r.errorCode(),
        r.errorMessage(),
        r.timings(),
        r.errorStack());
  }

  private Encoded withLetter(
      ConsumerRecord<byte[], byte[]> record, JobResult result, int attempt, int room) {
    byte[] value = transcripts.serialize(transcriptsTopic, transcript(result, attempt));
    return withLetter(record, result, value, attempt, room);
  }

  private Encoded withLetter(
      ConsumerRecord<byte[], byte[]> record,
      JobResult result,
      byte[] value,
      int attempt,
      int room) {
    ProducerRecord<byte[], byte[]> output =
        new ProducerRecord<>(transcriptsTopic, key(result), value);
    return result.needsDeadLetter()
        ? new Encoded(
            List.of(output, letter(record, result, attempt, room)),
            result,
            result.errorCode().name())
        : new Encoded(List.of(output), result, null);
  }

  private static byte[] key(JobResult result) {
    return result.job().id().getBytes(StandardCharsets.UTF_8);
  }

  private Transcript.Builder described(Job job) {
    return Transcript.newBuilder()
        .setJobId(job.id())
        .setModel(identity.model())
        .setModelSha256(identity.modelSha256())
        .setProfile(identity.profile())
        .setDevice(identity.device())
        .setWorker(identity.workerId())
        .setCompletedAt(Instant.now())
        .setTraceId(job.traceId());
  }

  private Transcript transcript(JobResult result, int attempt) {
    Transcript.Builder b =
        described(result.job())
            .setAttempt(attempt)
            .setStatus(Status.valueOf(result.status().name()))
            .setTimings(result.timings())
            .setErrorCode(result.errorCode() == null ? null : result.errorCode().name())
            .setErrorMessage(cut(result.errorMessage()))
            .setAudioSha256(result.audioSha256())
            .setSubmittedAt(result.job().submittedAt())
            .setMetadata(result.job().metadata());
    TranscriptionResult t = result.transcription();
    if (t != null) {
      b.setText(t.text())
          .setLanguage(t.language())
          .setLanguageProbability(t.languageProbability())
          .setDuration(t.durationSeconds())
          .setSegments(t.segments().stream().map(ResultEncoder::segment).toList());
    }
    return b.build();
  }

  static Segment segment(dev.amanuensis.worker.job.Segment s) {
    return Segment.newBuilder()
        .setId(s.id())
        .setSeek(s.seek())
        .setStart(s.start())
        .setEnd(s.end())
        .setText(s.text())
        .setTokens(s.tokens())
        .setTemperature(s.temperature())
        .setAvgLogprob(s.avgLogprob())
        .setCompressionRatio(s.compressionRatio())
        .setNoSpeechProb(s.noSpeechProb())
        .setWords(words(s.words()))
        .build();
  }

  private static List<Word> words(List<dev.amanuensis.worker.job.Word> words) {
    return words.stream()
        .map(w -> new Word(w.text(), w.start(), w.end(), w.probability()))
        .toList();
  }

  /**
   * A record that is no job, with its bytes (cut where they would not fit).
   *
   * @throws RegistryFailure if the registry can't be used
   */
  public Encoded undecodable(ConsumerRecord<byte[], byte[]> record, Exception cause) {
    return undecodable(record, cause, maxBytes - OVERHEAD);
  }

  /** For a topic that does not take the bytes. */
  public Encoded undecodableWithoutBytes(ConsumerRecord<byte[], byte[]> record, Exception cause) {
    return undecodable(record, cause, 0);
  }

  private Encoded undecodable(ConsumerRecord<byte[], byte[]> record, Exception cause, int room) {
    DeadLetter.Builder letter =
        DeadLetter.newBuilder()
            .setReason(UNDECODABLE)
            .setMessage(String.valueOf(cut(cause.getMessage())))
            .setStack(summary(cause));
    return new Encoded(List.of(deadLetter(record, letter, room)), null, UNDECODABLE);
  }

  private ProducerRecord<byte[], byte[]> letter(
      ConsumerRecord<byte[], byte[]> record, JobResult result, int attempt, int room) {
    DeadLetter.Builder letter =
        DeadLetter.newBuilder()
            .setJobId(result.job().id())
            .setReason(result.errorCode().name())
            .setMessage(String.valueOf(cut(result.errorMessage())))
            .setStack(result.errorStack())
            .setAttempts(attempt);
    return deadLetter(record, letter, room);
  }

  /**
   * @param letter that says what happened
   * @param room for the record's own bytes: its value first, then headers and key as they fit
   */
  private ProducerRecord<byte[], byte[]> deadLetter(
      ConsumerRecord<byte[], byte[]> record, DeadLetter.Builder letter, int room) {
    byte[] value = record.value() == null ? new byte[0] : record.value();
    int left = Math.max(0, room - LETTER_OVERHEAD);
    // The key travels twice: in the letter, and as the letter's own key.
    byte[] key = record.key() != null && 2L * record.key().length <= left / 4 ? record.key() : null;
    left -= key == null ? 0 : 2 * key.length;
    Map<String, ByteBuffer> headers = new HashMap<>();
    int forHeaders = left / 4;
    for (Header header : record.headers()) {
      byte[] bytes = header.value() == null ? new byte[0] : header.value();
      long size = 16L + 4L * header.key().length() + bytes.length;
      if (size <= forHeaders) {
        headers.put(header.key(), ByteBuffer.wrap(bytes));
        forHeaders -= (int) size;
        left -= (int) size;
      }
    }
    DeadLetter whole =
        letter
            .setTopic(record.topic())
            .setPartition(record.partition())
            .setOffset(record.offset())
            .setRecordTimestamp(Instant.ofEpochMilli(Math.max(0, record.timestamp())))
            .setKey(key == null ? null : ByteBuffer.wrap(key))
            .setValue(ByteBuffer.wrap(value, 0, Math.min(value.length, left)))
            .setValueSize(value.length)
            .setValueSha256(sha256(value))
            .setHeaders(headers)
            .setWorker(identity.workerId())
            .setFailedAt(Instant.now())
            .build();
    return new ProducerRecord<>(dlqTopic, key, deadLetters.serialize(dlqTopic, whole));
  }

  private static String cut(String text) {
    return text == null || text.length() <= MAX_MESSAGE_CHARS
        ? text
        : text.substring(0, MAX_MESSAGE_CHARS) + " ...";
  }

  /** The chain of causes, without frames: what a person reads first. */
  private static String summary(Throwable cause) {
    StringBuilder text = new StringBuilder();
    for (Throwable t = cause; t != null && text.length() < 2000; t = t.getCause()) {
      text.append(t.getClass().getName()).append(": ").append(cut(t.getMessage())).append('\n');
    }
    return text.toString();
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every JDK has it
    }
  }

  @Override
  public void close() {
    transcripts.close();
    deadLetters.close();
  }
}
