package dev.amanuensis.worker.intake;

import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.worker.job.AudioSource;
import dev.amanuensis.worker.job.Chunking;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.TranscriptionOptions;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Instant;
import org.apache.kafka.common.errors.SerializationException;

/** From the record on the wire to the job that the pipeline knows. */
final class JobDecoder {
  /** It is a key and part of every result, so it may not fill them. */
  static final int MAX_ID_CHARS = 512;

  private JobDecoder() {}

  /**
   * @param record null for a record without a value
   * @throws SerializationException if the record can't be a job
   */
  static Job decode(AudioJob record) {
    if (record == null) {
      throw new SerializationException("the record has no value");
    }
    if (record.getJobId().isBlank()) {
      throw new SerializationException("the record has no job_id");
    }
    if (record.getJobId().length() > MAX_ID_CHARS) {
      throw new SerializationException(
          "the job_id has %,d characters, at most %d are taken"
              .formatted(record.getJobId().length(), MAX_ID_CHARS));
    }
    Instant deadline = record.getDeadline();
    return new Job(
        record.getJobId(),
        source(record),
        record.getContentType(),
        options(record),
        record.getPriority(),
        deadline,
        record.getSubmittedAt(),
        record.getMetadata());
  }

  private static AudioSource source(AudioJob record) {
    boolean inline = record.getAudio() != null;
    if (inline == (record.getAudioUri() != null)) {
      throw new SerializationException("exactly one of audio and audio_uri must be set");
    }
    if (inline) {
      return new AudioSource.Inline(record.getAudio(), record.getAudioSha256());
    }
    try {
      return new AudioSource.Reference(new URI(record.getAudioUri()), record.getAudioSha256());
    } catch (URISyntaxException e) {
      // Not its message or itself as the cause: both hold the URI, which may hold a secret.
      throw new SerializationException(
          "audio_uri is not a URI: %s at character %d".formatted(e.getReason(), e.getIndex()));
    }
  }

  private static TranscriptionOptions options(AudioJob r) {
    TranscriptionOptions d = TranscriptionOptions.DEFAULTS;
    return new TranscriptionOptions(
        r.getLanguage(),
        TranscriptionOptions.Task.valueOf(r.getTask().name()),
        r.getWordTimestamps(),
        r.getInitialPrompt(),
        or(r.getCarryInitialPrompt(), d.carryInitialPrompt()),
        or(r.getTemperatures(), d.temperatures()),
        or(r.getBeamSize(), d.beamSize()),
        or(r.getBestOf(), d.bestOf()),
        or(r.getPatience(), d.patience()),
        or(r.getLengthPenalty(), d.lengthPenalty()),
        threshold(r.getCompressionRatioThreshold(), d.compressionRatioThreshold()),
        threshold(r.getLogprobThreshold(), d.logprobThreshold()),
        threshold(r.getNoSpeechThreshold(), d.noSpeechThreshold()),
        or(r.getConditionOnPreviousText(), d.conditionOnPreviousText()),
        threshold(r.getHallucinationSilenceThreshold(), d.hallucinationSilenceThreshold()),
        r.getClipTimestamps(),
        or(r.getSuppressTokens(), d.suppressTokens()),
        or(r.getWithoutTimestamps(), d.withoutTimestamps()),
        threshold(r.getMaxInitialTimestamp(), d.maxInitialTimestamp()),
        r.getSeed(),
        Chunking.valueOf(r.getChunking().name()));
  }

  private static <T> T or(T value, T otherwise) {
    return value == null ? otherwise : value;
  }

  /** NaN switches a threshold off. */
  private static Double threshold(Double value, Double otherwise) {
    return value == null ? otherwise : value.isNaN() ? null : value;
  }
}
