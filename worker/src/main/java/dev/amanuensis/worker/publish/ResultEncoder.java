package dev.amanuensis.worker.publish;

import dev.amanuensis.schema.DeadLetter;
import dev.amanuensis.schema.Segment;
import dev.amanuensis.schema.Status;
import dev.amanuensis.schema.Transcript;
import dev.amanuensis.schema.Word;
import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.worker.job.ErrorCode;
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

/** Serialises results and dead letters, and keeps them within the size that the topics take. */
public final class ResultEncoder implements AutoCloseable {
  /** Room for the record's key, headers and framing. */
  private static final int OVERHEAD = 1024;

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

  /** A transcript, or FAILED with RESULT_TOO_LARGE where it would not fit. */
  public ProducerRecord<byte[], byte[]> encode(JobResult result, String traceId) {
    byte[] value = transcripts.serialize(transcriptsTopic, transcript(result, traceId));
    if (value.length > maxBytes - OVERHEAD) {
      JobResult failed =
          new JobResult(
              result.job(),
              JobResult.Status.FAILED,
              null,
              result.audioSha256(),
              ErrorCode.RESULT_TOO_LARGE,
              "the transcript has %,d bytes, the topic takes %,d".formatted(value.length, maxBytes),
              result.timings());
      value = transcripts.serialize(transcriptsTopic, transcript(failed, traceId));
    }
    byte[] key = result.job().id().getBytes(StandardCharsets.UTF_8);
    return new ProducerRecord<>(transcriptsTopic, key, value);
  }

  private Transcript transcript(JobResult result, String traceId) {
    Transcript.Builder b =
        Transcript.newBuilder()
            .setJobId(result.job().id())
            .setStatus(Status.valueOf(result.status().name()))
            .setModel(identity.model())
            .setModelSha256(identity.modelSha256())
            .setProfile(identity.profile())
            .setDevice(identity.device())
            .setWorker(identity.workerId())
            .setTimings(result.timings())
            .setErrorCode(result.errorCode() == null ? null : result.errorCode().name())
            .setErrorMessage(result.errorMessage())
            .setAudioSha256(result.audioSha256())
            .setSubmittedAt(result.job().submittedAt())
            .setCompletedAt(Instant.now())
            .setMetadata(result.job().metadata())
            .setTraceId(traceId);
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

  private static Segment segment(dev.amanuensis.worker.job.Segment s) {
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

  /** A record that is no job, with its bytes (cut where they would not fit). */
  public ProducerRecord<byte[], byte[]> undecodable(
      ConsumerRecord<byte[], byte[]> record, Exception cause) {
    byte[] value = record.value() == null ? new byte[0] : record.value();
    Map<String, ByteBuffer> headers = new HashMap<>();
    for (Header header : record.headers()) {
      headers.put(
          header.key(), ByteBuffer.wrap(header.value() == null ? new byte[0] : header.value()));
    }
    int room = maxBytes / 2;
    DeadLetter letter =
        DeadLetter.newBuilder()
            .setReason("UNDECODABLE")
            .setMessage(String.valueOf(cause.getMessage()))
            .setStack(summary(cause))
            .setTopic(record.topic())
            .setPartition(record.partition())
            .setOffset(record.offset())
            .setRecordTimestamp(Instant.ofEpochMilli(Math.max(0, record.timestamp())))
            .setKey(record.key() == null ? null : ByteBuffer.wrap(record.key()))
            .setValue(ByteBuffer.wrap(value, 0, Math.min(value.length, room)))
            .setValueSize(value.length)
            .setValueSha256(sha256(value))
            .setHeaders(headers)
            .setWorker(identity.workerId())
            .setFailedAt(Instant.now())
            .build();
    return new ProducerRecord<>(dlqTopic, record.key(), deadLetters.serialize(dlqTopic, letter));
  }

  private static String summary(Throwable cause) {
    StringBuilder text = new StringBuilder();
    for (Throwable t = cause; t != null && text.length() < 2000; t = t.getCause()) {
      text.append(t.getClass().getName()).append(": ").append(t.getMessage()).append('\n');
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
