package dev.amanuensis.worker.pipeline;

import dev.amanuensis.engine.Engine;
import dev.amanuensis.worker.source.AudioPreparer;
import dev.amanuensis.worker.source.PreparedAudio;
import dev.amanuensis.worker.transcription.Geometry;
import dev.amanuensis.worker.transcription.OptionCheck;
import dev.amanuensis.worker.transcription.Tokenizer;
import dev.amanuensis.worker.transcription.Transcription;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Fetches and decodes a job's audio, finds its log-mel maximum and sends its first window on. */
final class PrepareStage {
  /** Frames between two looks at whether the job has ended meanwhile. */
  private static final int STRETCH = 60 * Geometry.FRAMES_PER_SECOND;

  private static final Logger LOG = LoggerFactory.getLogger(PrepareStage.class);

  private final StageQueue<JobRun> queue;
  private final StageQueue<WindowTask> next;
  private final AudioPreparer preparer;
  private final Engine engine;
  private final Tokenizer tokenizer;

  PrepareStage(
      StageQueue<JobRun> queue,
      StageQueue<WindowTask> next,
      AudioPreparer preparer,
      Engine engine,
      Tokenizer tokenizer) {
    this.queue = queue;
    this.next = next;
    this.preparer = preparer;
    this.engine = engine;
    this.tokenizer = tokenizer;
  }

  void loop() throws InterruptedException {
    while (true) {
      JobRun run = queue.take();
      if (!run.enter(Stage.PREPARE)) {
        continue;
      }
      WindowTask task = null;
      try {
        task = prepare(run);
      } catch (InterruptedException e) {
        if (!run.hasEnded()) {
          run.fail(new IllegalStateException("the worker is stopping"));
          throw e;
        }
      } catch (Throwable e) {
        run.fail(e);
      } finally {
        run.leave("prepare");
      }
      if (task != null) {
        next.put(task);
      }
    }
  }

  /** The first window, or null if there is nothing to do. */
  private WindowTask prepare(JobRun run) throws Exception {
    OptionCheck.check(run.job.options(), tokenizer);
    PreparedAudio audio = preparer.prepare(run.job);
    run.prepared(audio);
    long started = System.nanoTime();
    long frames = audio.samples() / Geometry.HOP;
    float max = -10;
    for (long first = 0; first < frames && !run.hasEnded(); first += STRETCH) {
      long count = Math.min(STRETCH, frames - first);
      max = Math.max(max, engine.melMax(audio.pcm(), audio.samples(), first, count));
    }
    run.globalMax = max;
    run.add("mel", System.nanoTime() - started);
    if (run.from != null) {
      try {
        return Windows.resume(run, tokenizer);
      } catch (IllegalArgumentException e) {
        LOG.warn("job {} starts at its beginning: {}", run.job.id(), e.getMessage());
      }
    }
    if (frames > 0 && Transcription.detectsLanguage(run.job.options(), tokenizer)) {
      return new WindowTask(run, null);
    }
    return Windows.begin(run, tokenizer, null);
  }
}
