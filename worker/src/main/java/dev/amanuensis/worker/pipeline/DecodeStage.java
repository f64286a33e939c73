package dev.amanuensis.worker.pipeline;

import dev.amanuensis.engine.Alignment;
import dev.amanuensis.worker.device.Decoder;
import dev.amanuensis.worker.device.SpeechModel;
import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.JobException;
import dev.amanuensis.worker.metrics.JobLog;
import dev.amanuensis.worker.pipeline.StageQueue.Waiting;
import dev.amanuensis.worker.transcription.AlignmentRequest;
import dev.amanuensis.worker.transcription.DecodingResult;
import dev.amanuensis.worker.transcription.Doubt;
import dev.amanuensis.worker.transcription.LanguageGuess;
import dev.amanuensis.worker.transcription.StepRequest;
import dev.amanuensis.worker.transcription.StepResult;
import dev.amanuensis.worker.transcription.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Continuous batching: one step serves every live window of every job. Windows join and leave
 * between steps; a finished one is aligned if words are wanted, and its job's next window goes back
 * to the encode stage.
 */
final class DecodeStage {
  private static final long IDLE_MILLIS = 1000;
  private static final long GATHERING_MILLIS = 20;

  private final StageQueue<WindowTask> queue;
  private final StageQueue<WindowTask> encodeQueue;
  private final SpeechModel model;
  private final Tokenizer tokenizer;
  private final int maxSequences;
  private final PipelineMeter meter;
  private final Faults faults;
  private final Gathering gathering;
  private final BooleanSupplier closing;

  DecodeStage(
      StageQueue<WindowTask> queue,
      StageQueue<WindowTask> encodeQueue,
      SpeechModel model,
      int maxSequences,
      PipelineMeter meter,
      Faults faults,
      Gathering gathering,
      BooleanSupplier closing) {
    this.queue = queue;
    this.encodeQueue = encodeQueue;
    this.model = model;
    this.tokenizer = model.tokenizer();
    this.maxSequences = maxSequences;
    this.meter = meter;
    this.faults = faults;
    this.gathering = gathering;
    this.closing = closing;
  }

  Lane newLane() {
    return new Lane(model.newDecoder(maxSequences));
  }

  /** One thread. */
  void loop() throws InterruptedException {
    try (Lane lane = newLane()) {
      while (true) {
        lane.turn(IDLE_MILLIS);
      }
    }
  }

  /** One batch. Belongs to one thread. */
  final class Lane implements AutoCloseable {
    private final Decoder decoder;
    private final Batch live = new Batch(maxSequences);

    Lane(Decoder decoder) {
      this.decoder = decoder;
    }

    /** Windows in the batch. */
    int live() {
      return live.windows().size();
    }

    /**
     * Lets windows in, makes one step and lets windows out.
     *
     * @param millis to wait for a window if there is none
     */
    void turn(long millis) throws InterruptedException {
      if (live.isEmpty()) {
        queue.awaitItem(millis);
      } else if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      join();
      live.removeIf(this::leaveIfEnded);
      if (gathering.waits(live)) {
        gather();
      } else if (!live.isEmpty()) {
        step();
        live.removeIf(this::leaveIfDone);
      }
    }

    private void gather() throws InterruptedException {
      long started = System.nanoTime();
      queue.awaitItem(GATHERING_MILLIS);
      long held = System.nanoTime() - started;
      live.windows().forEach(window -> window.heldNanos += held);
    }

    /** Lets waiting windows in while there are slots for the most urgent one. */
    private void join() throws InterruptedException {
      live.admitRepeated();
      while (true) {
        int room = live.free();
        Waiting<WindowTask> waiting =
            queue.poll(task -> task.firstSlots() <= room || task.maxSlots() > maxSequences);
        if (waiting == null) {
          return;
        }
        WindowTask task = waiting.item();
        if (!task.run.enter(Stage.DECODE, waiting.waited())) {
          task.crossKv.close();
        } else if (task.detectsLanguage()) {
          detectLanguage(task);
        } else {
          start(task);
        }
      }
    }

    private void start(WindowTask task) throws InterruptedException {
      boolean started = false;
      try {
        faults.at(Stage.DECODE, task.run.job);
        if (task.maxSlots() > maxSequences) {
          throw new JobException(
              ErrorCode.INVALID_OPTION,
              "%d beams or samples at once: this worker decodes %d sequences at most"
                  .formatted(task.maxSlots(), maxSequences));
        }
        live.add(new LiveWindow(task, tokenizer, decoder));
        started = true;
      } catch (JobException | RuntimeException e) {
        task.run.fail(e);
      } catch (Error e) {
        task.run.fail(e);
        throw e;
      } finally {
        if (!started) {
          task.crossKv.close();
          task.run.leave("decode");
        }
      }
    }

    private void detectLanguage(WindowTask task) {
      JobRun run = task.run;
      WindowTask first = null;
      WindowTask again = null;
      try {
        float[] probabilities = decoder.detectLanguage(task.crossKv.buffer());
        LanguageGuess guess = LanguageGuess.of(tokenizer, probabilities);
        if (task.thinned && Doubt.of(guess)) {
          again = task.withEveryRow();
          meter.encodedAgain(run.job);
        } else {
          first = Windows.begin(run, tokenizer, guess);
        }
      } catch (Exception e) {
        run.fail(e);
      } finally {
        boolean reuse = first != null && first.firstFrame() == 0 && first.frames() == task.frames();
        if (reuse) {
          first.crossKv = task.crossKv; // the same log-mel
          first.thinned = task.thinned;
        } else {
          task.crossKv.close();
        }
        run.leave("detect_language");
        if (reuse) {
          queue.putBack(first);
        } else if (first != null) {
          encodeQueue.putBack(first);
        } else if (again != null) {
          encodeQueue.putBack(again);
        }
      }
    }

    /** One native step; if it is refused, each window alone, so that only the culprit fails. */
    private void step() {
      List<LiveWindow> ready = new ArrayList<>();
      int mostDraft = live.draftEach();
      for (LiveWindow window : live.stepping()) {
        try {
          window.prepare(mostDraft);
          ready.add(window);
        } catch (RuntimeException e) {
          window.task.run.fail(e);
        }
      }
      try {
        stepTogether(ready);
      } catch (RuntimeException e) {
        for (LiveWindow window : ready) {
          try {
            stepTogether(List.of(window));
          } catch (RuntimeException own) {
            window.task.run.fail(own);
          }
        }
      }
    }

    private void stepTogether(List<LiveWindow> windows) {
      List<StepRequest> rows = new ArrayList<>();
      windows.forEach(w -> rows.addAll(w.requests()));
      if (rows.isEmpty()) {
        return;
      }
      long started = System.nanoTime();
      List<StepResult> results = decoder.step(rows);
      meter.stepped(rows.size(), System.nanoTime() - started);
      int at = 0;
      for (LiveWindow window : windows) {
        int n = window.requests().size();
        try {
          window.accept(results.subList(at, at + n));
        } catch (RuntimeException e) {
          window.task.run.fail(e);
        }
        at += n;
      }
    }

    private boolean leaveIfEnded(LiveWindow window) {
      if (!window.task.run.hasEnded()) {
        return false;
      }
      leave(window);
      return true;
    }

    private boolean leaveIfDone(LiveWindow window) {
      if (!window.decoding.done()) {
        return false;
      }
      JobRun run = window.task.run;
      WindowTask next = null;
      try {
        if (window.task.thinned && doubtful(window)) {
          next = window.task.withEveryRow();
          meter.encodedAgain(run.job);
        } else {
          next = acceptAs(run, window);
        }
      } catch (Exception e) {
        run.fail(e);
      } catch (Error e) {
        run.fail(e);
        throw e; // close() lets the window go
      }
      leave(window);
      if (next != null) {
        encodeQueue.putBack(next);
      }
      return true;
    }

    private boolean doubtful(LiveWindow window) {
      return window.decoding.failed()
          || Doubt.of(window.decoding.result(), tokenizer, window.task.frames());
    }

    @SuppressWarnings("try") // the scope is only there to end
    private WindowTask acceptAs(JobRun run, LiveWindow window) throws JobException {
      try (JobLog.Scope scope = JobLog.scope(run.job)) {
        return accept(window);
      }
    }

    private WindowTask accept(LiveWindow window) throws JobException {
      JobRun run = window.task.run;
      DecodingResult result = window.decoding.result();
      run.windowDone();
      meter.windowDone(run.job, result.attempts());
      Optional<AlignmentRequest> wanted = run.transcription.accept(result);
      if (wanted.isPresent()) {
        long started = System.nanoTime();
        Alignment alignment = decoder.align(window.task.crossKv.buffer(), wanted.get());
        run.transcription.acceptAlignment(alignment.startFrames(), alignment.probabilities());
        run.add("align", System.nanoTime() - started);
        meter.aligned(run.job, System.nanoTime() - started);
      }
      return Windows.next(run);
    }

    private void leave(LiveWindow window) {
      try {
        window.close();
      } catch (RuntimeException e) {
        window.task.run.fail(e);
      }
      window.task.crossKv.close();
      window.task.run.leave("decode");
    }

    /**
     * The thread ends. Unless the pipeline does too, windows of jobs that are not to blame start
     * again: decoding the same window again gives the same.
     */
    @Override
    public void close() {
      for (LiveWindow window : live.windows()) {
        WindowTask task = window.task;
        boolean again = !closing.getAsBoolean() && !task.run.hasEnded() && task.mayRestart();
        if (!again && !closing.getAsBoolean()) {
          task.run.fail(
              new IllegalStateException("the decode stage stopped while it decoded this"));
        }
        if (again) {
          task.run.leave("decode");
          queue.putBack(task);
        } else {
          task.crossKv.close();
          task.run.leave("decode");
        }
      }
      live.clear();
      decoder.close();
    }
  }
}
