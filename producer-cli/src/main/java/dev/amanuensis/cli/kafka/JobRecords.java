package dev.amanuensis.cli.kafka;

import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.Chunking;
import dev.amanuensis.schema.Task;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.OptionalDouble;

/** Makes job records of files and options. */
final class JobRecords {
  /** Metadata that names the file; copied to the transcript, so that watch can show it. */
  static final String FILE = "file";

  private static final int BLOCK = 1 << 16;

  private JobRecords() {}

  /** The bytes travel inside the record. */
  static AudioJob inline(String id, Path named, Path data, String contentType, JobOptions options)
      throws IOException {
    byte[] bytes = Files.readAllBytes(data);
    MessageDigest digest = sha256();
    digest.update(bytes);
    AudioJob job = job(id, named, contentType, options);
    job.setAudio(ByteBuffer.wrap(bytes));
    job.setAudioSha256(HexFormat.of().formatHex(digest.digest()));
    return job;
  }

  /** The worker fetches the bytes from elsewhere, and checks that they are the same. */
  static AudioJob reference(
      String id, Path named, Path data, String uri, String contentType, JobOptions options)
      throws IOException {
    MessageDigest digest = sha256();
    byte[] block = new byte[BLOCK];
    try (InputStream in = Files.newInputStream(data)) {
      for (int n = in.read(block); n >= 0; n = in.read(block)) {
        digest.update(block, 0, n);
      }
    }
    AudioJob job = job(id, named, contentType, options);
    job.setAudioUri(uri);
    job.setAudioSha256(HexFormat.of().formatHex(digest.digest()));
    return job;
  }

  private static AudioJob job(String id, Path file, String contentType, JobOptions options) {
    AudioJob job = new AudioJob();
    job.setJobId(id);
    job.setContentType(contentType);
    job.setSubmittedAt(Instant.now().truncatedTo(ChronoUnit.MILLIS));
    job.setMetadata(new HashMap<>(Map.of(FILE, file.toString())));
    job.setLanguage(options.language());
    job.setTask(Task.valueOf(options.task().name()));
    job.setWordTimestamps(options.wordTimestamps());
    job.setInitialPrompt(options.initialPrompt());
    job.setTemperatures(options.temperatures());
    job.setBeamSize(options.beamSize());
    job.setBestOf(options.bestOf());
    job.setConditionOnPreviousText(options.conditionOnPreviousText());
    job.setCompressionRatioThreshold(orOff(options.compressionRatioThreshold()));
    job.setLogprobThreshold(orOff(options.logprobThreshold()));
    job.setNoSpeechThreshold(orOff(options.noSpeechThreshold()));
    job.setHallucinationSilenceThreshold(options.hallucinationSilenceThreshold());
    job.setClipTimestamps(options.clipTimestamps());
    job.setChunking(Chunking.valueOf(options.chunking().name()));
    return job;
  }

  /** In the record null means the default, and NaN switches a threshold off. */
  private static double orOff(OptionalDouble threshold) {
    return threshold.orElse(Double.NaN);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
