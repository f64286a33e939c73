package dev.amanuensis.worker.pipeline;

import dev.amanuensis.worker.buffers.BufferManager;
import dev.amanuensis.worker.buffers.Lease;
import dev.amanuensis.worker.buffers.Pool;
import dev.amanuensis.worker.buffers.PoolExhaustedException;
import dev.amanuensis.worker.device.SpeechModel;
import dev.amanuensis.worker.pipeline.StageQueue.Waiting;
import dev.amanuensis.worker.source.AudioPreparer;
import dev.amanuensis.worker.source.PreparedAudio;
import dev.amanuensis.worker.transcription.Geometry;
import dev.amanuensis.worker.transcription.OptionCheck;
import dev.amanuensis.worker.transcription.Tokenizer;
import dev.amanuensis.worker.transcription.Transcription;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Fetches and decodes a job's audio, finds its log-mel maximum and sends its first window on. */
final class PrepareStage {
  /** Frames between two looks at whether the job has ended meanwhile. */
  private static final int STRETCH = 60 * Geometry.FRAMES_PER_SECOND;

  private static final Logger LOG = LoggerFactory.getLogger(PrepareStage.class);

  private static final long LOOK_AGAIN_MS = 10;

  private final StageQueue<JobRun> queue;
  private final StageQueue<WindowTask> next;
  private final BufferManager buffers;
  private final AudioPreparer preparer;
  private final SpeechModel model;
  private final Tokenizer tokenizer;
  private final Faults faults;

  /** One thread at a time: else one could fail the job for which another holds the buffer. */
  private final ReentrantLock choosing = new ReentrantLock();

  PrepareStage(
      StageQueue<JobRun> queue,
      StageQueue<WindowTask> next,
      BufferManager buffers,
      AudioPreparer preparer,
      SpeechModel model,
      Faults faults) {
    this.queue = queue;
    this.next = next;
    this.buffers = buffers;
    this.preparer = preparer;
    this.model = model;
    this.tokenizer = model.tokenizer();
    this.faults = faults;
  }

  /** One thread that takes everything. */
  void loop() throws InterruptedException {
    while (true) {
      turn();
    }
  }

  /**
   * One more thread, for what has that priority at least: the others may all be fetching less
   * urgent work from servers that take their time.
   */
  void loop(int least) throws InterruptedException {
    while (true) {
      queue.awaitItemOf(least);
      turn(() -> queue.pollOf(least));
    }
  }

  /** One turn of a thread that takes everything. */
  void turn() throws InterruptedException {
    turn(queue::poll);
  }

  /**
   * Prepares one job. What it needs comes first and the job last: whatever is urgent may still
   * arrive while this thread waits for a place or a buffer.
   */
  private void turn(Supplier<Waiting<JobRun>> choice) throws InterruptedException {
    choosing.lockInterruptibly();
    try {
      queue.awaitItem();
      if (buffers.leavesLast(Pool.AUDIO, queue.priority() > 0)) {
        Thread.sleep(LOOK_AGAIN_MS);
        return;
      }
      next.reserve(queue::priority);
      chooseAndPrepare(choice);
    } finally {
      if (choosing.isHeldByCurrentThread()) {
        choosing.unlock();
      }
    }
  }

  /** Gives the turn to choose up once it has chosen. */
  private void chooseAndPrepare(Supplier<Waiting<JobRun>> choice) throws InterruptedException {
    boolean placed = false;
    try (Held memory = new Held(buffers.acquire(Pool.AUDIO, "the prepare stage"))) {
      Waiting<JobRun> waiting = choice.get();
      choosing.unlock();
      WindowTask task = waiting == null ? null : prepare(waiting, memory);
      if (task != null) {
        placed = true;
        next.put(task);
      }
    } catch (PoolExhaustedException e) {
      Waiting<JobRun> loser = choice.get();
      if (loser != null) {
        loser.run().fail(e);
      }
    } finally {
      if (!placed) {
        next.release();
      }
    }
  }

  /** The first window, or null if there is nothing to do. */
  private WindowTask prepare(Waiting<JobRun> waiting, Held memory) throws InterruptedException {
    JobRun run = waiting.run();
    if (!run.enter(Stage.PREPARE, waiting.waited())) {
      return null;
    }
    try {
      faults.at(Stage.PREPARE, run.job);
      OptionCheck.check(run.job.options(), tokenizer);
      Lease lease = memory.take().handTo("job " + run.job.id());
      run.prepared(preparer.prepare(run.job, lease));
      return firstWindow(run);
    } catch (InterruptedException e) {
      if (!run.hasEnded()) {
        throw e; // the pipeline is closing
      }
    } catch (Exception e) {
      run.fail(e);
    } catch (Error e) {
      run.fail(e);
      throw e;
    } finally {
      run.leave("prepare");
    }
    return null;
  }

  private WindowTask firstWindow(JobRun run) throws Exception {
    PreparedAudio audio = run.audio();
    long started = System.nanoTime();
    long frames = audio.samples() / Geometry.HOP;
    float max = -10;
    for (long first = 0; first < frames && !run.hasEnded(); first += STRETCH) {
      long count = Math.min(STRETCH, frames - first);
      max = Math.max(max, model.melMax(audio.pcm(), audio.samples(), first, count));
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
      return WindowTask.detection(run, frames, model.profile().equals("reference"));
    }
    return Windows.begin(run, tokenizer, null);
  }
}
