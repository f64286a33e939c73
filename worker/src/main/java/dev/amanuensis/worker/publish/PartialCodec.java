package dev.amanuensis.worker.publish;

import dev.amanuensis.schema.Partial;
import dev.amanuensis.worker.job.Progress;
import dev.amanuensis.worker.job.Segment;
import dev.amanuensis.worker.job.Word;
import java.time.Instant;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Between a job's progress and its record. */
final class PartialCodec {
  private PartialCodec() {}

  static Partial encode(
      ConsumerRecord<?, ?> record, String jobId, int attempt, Progress p, WorkerIdentity worker) {
    return Partial.newBuilder()
        .setJobId(jobId)
        .setTopic(record.topic())
        .setPartition(record.partition())
        .setOffset(record.offset())
        .setAttempt(attempt)
        .setSegments(p.segments().stream().map(ResultEncoder::segment).toList())
        .setLanguage(p.language())
        .setLanguageProbability(p.languageProbability())
        .setSeek(p.seek())
        .setContentFrames(p.contentFrames())
        .setClip(p.clip())
        .setLastSpeech(p.lastSpeech())
        .setResetSince(p.resetSince())
        .setAudioSha256(p.audioSha256())
        .setModelSha256(worker.modelSha256())
        .setProfile(worker.profile())
        .setWorker(worker.workerId())
        .setWrittenAt(Instant.now())
        .build();
  }

  /** Whether a worker with this model and arithmetic would go on as the one that wrote it. */
  static boolean fits(Partial p, WorkerIdentity worker) {
    return p.getModelSha256().equals(worker.modelSha256())
        && p.getProfile().equals(worker.profile());
  }

  static Progress decode(Partial p) {
    return new Progress(
        p.getSegments().stream().map(PartialCodec::segment).toList(),
        p.getLanguage(),
        p.getLanguageProbability(),
        p.getSeek(),
        p.getContentFrames(),
        p.getClip(),
        p.getLastSpeech(),
        p.getResetSince(),
        p.getAudioSha256());
  }

  private static Segment segment(dev.amanuensis.schema.Segment s) {
    List<Word> words =
        s.getWords().stream()
            .map(w -> new Word(w.getWord(), w.getStart(), w.getEnd(), w.getProbability()))
            .toList();
    return new Segment(
        s.getId(),
        s.getSeek(),
        s.getStart(),
        s.getEnd(),
        s.getText(),
        s.getTokens(),
        s.getTemperature(),
        s.getAvgLogprob(),
        s.getCompressionRatio(),
        s.getNoSpeechProb(),
        words);
  }
}
