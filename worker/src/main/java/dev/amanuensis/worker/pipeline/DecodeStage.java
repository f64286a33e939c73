package dev.amanuensis.worker.pipeline;

import dev.amanuensis.engine.Alignment;
import dev.amanuensis.engine.DecoderBatch;
import dev.amanuensis.engine.Engine;
import dev.amanuensis.engine.NativeBuffer;
import dev.amanuensis.engine.StepBatch;
import dev.amanuensis.worker.job.JobException;
import dev.amanuensis.worker.transcription.AlignmentRequest;
import dev.amanuensis.worker.transcription.LanguageGuess;
import dev.amanuensis.worker.transcription.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;

/**
 * Continuous batching: one step serves every live window of every job. Windows join and leave
 * between steps; a finished one is aligned if words are wanted, and its job's next window goes back
 * to the encode stage. One thread.
 */
final class DecodeStage {
  private final StageQueue<WindowTask> queue;
  private final StageQueue<WindowTask> encodeQueue;
  private final BlockingQueue<NativeBuffer> crossKvBuffers;
  private final Engine engine;
  private final Tokenizer tokenizer;
  private final int maxSequences;

  DecodeStage(
      StageQueue<WindowTask> queue,
      StageQueue<WindowTask> encodeQueue,
      BlockingQueue<NativeBuffer> crossKvBuffers,
      Engine engine,
      Tokenizer tokenizer,
      int maxSequences) {
    this.queue = queue;
    this.encodeQueue = encodeQueue;
    this.crossKvBuffers = crossKvBuffers;
    this.engine = engine;
    this.tokenizer = tokenizer;
    this.maxSequences = maxSequences;
  }

  void loop() throws InterruptedException {
    List<LiveWindow> live = new ArrayList<>();
    try (DecoderBatch decoder = engine.newDecoder(maxSequences, 1);
        StepBatch steps = decoder.newSteps()) {
      while (true) {
        join(live, decoder);
        live.removeIf(this::leaveIfEnded);
        if (!live.isEmpty()) {
          step(live, decoder, steps);
          live.removeIf(w -> leaveIfDone(w, decoder));
        }
      }
    } finally {
      for (LiveWindow window : live) {
        window.task.run.fail(new IllegalStateException("the decode stage stopped"));
        leave(window);
      }
    }
  }

  /** Lets waiting windows in while there are slots for them; waits for one if none is live. */
  private void join(List<LiveWindow> live, DecoderBatch decoder) throws InterruptedException {
    int free = maxSequences - live.stream().mapToInt(w -> w.decoding.maxSlots()).sum();
    while (true) {
      WindowTask waiting = queue.peek();
      if (waiting != null && !waiting.detectsLanguage()) {
        int needed = waiting.window.decoding().maxSlots();
        if (needed > free) {
          return;
        }
      }
      WindowTask task = queue.poll(live.isEmpty() ? 1000 : 0);
      if (task == null) {
        return;
      }
      if (task.detectsLanguage()) {
        detectLanguage(task, decoder);
        continue;
      }
      int needed = task.window.decoding().maxSlots();
      if (needed > free) { // a more urgent one came between the two looks
        queue.put(task);
        return;
      }
      if (start(task, live, decoder)) {
        free -= needed;
      }
    }
  }

  private boolean start(WindowTask task, List<LiveWindow> live, DecoderBatch decoder) {
    if (!task.run.enter(Stage.DECODE)) {
      giveBack(task);
      return false;
    }
    try {
      live.add(new LiveWindow(task, tokenizer, decoder));
      return true;
    } catch (Throwable e) {
      task.run.fail(e);
      task.run.leave("decode");
      giveBack(task);
      return false;
    }
  }

  private void detectLanguage(WindowTask task, DecoderBatch decoder) {
    JobRun run = task.run;
    WindowTask first = null;
    if (run.enter(Stage.DECODE)) {
      try {
        LanguageGuess guess = LanguageGuess.of(tokenizer, decoder.detectLanguage(task.crossKv));
        first = Windows.begin(run, tokenizer, guess);
      } catch (Throwable e) {
        run.fail(e);
      } finally {
        run.leave("detect_language");
      }
    }
    if (first != null && first.firstFrame() == 0 && first.frames() == task.frames()) {
      first.crossKv = task.crossKv; // a whole window of audio: the same log-mel
      queue.put(first);
      return;
    }
    giveBack(task);
    if (first != null) {
      encodeQueue.put(first);
    }
  }

  /** One native step; if it is refused, each window alone, so that only the culprit's job fails. */
  private void step(List<LiveWindow> live, DecoderBatch decoder, StepBatch steps) {
    List<LiveWindow> ready = new ArrayList<>(live.size());
    for (LiveWindow window : live) {
      try {
        window.prepare();
        ready.add(window);
      } catch (Throwable e) {
        window.task.run.fail(e);
      }
    }
    try {
      stepTogether(ready, decoder, steps);
    } catch (RuntimeException e) {
      for (LiveWindow window : ready) {
        try {
          stepTogether(List.of(window), decoder, steps);
          window.acceptFrom(steps);
        } catch (Throwable own) {
          window.task.run.fail(own);
        }
      }
      return;
    }
    for (LiveWindow window : ready) {
      try {
        window.acceptFrom(steps);
      } catch (Throwable e) {
        window.task.run.fail(e);
      }
    }
  }

  private static void stepTogether(
      List<LiveWindow> windows, DecoderBatch decoder, StepBatch steps) {
    steps.clear();
    windows.forEach(w -> w.addTo(steps));
    decoder.step(steps);
  }

  private boolean leaveIfEnded(LiveWindow window) {
    if (!window.task.run.hasEnded()) {
      return false;
    }
    leave(window);
    return true;
  }

  private boolean leaveIfDone(LiveWindow window, DecoderBatch decoder) {
    if (!window.decoding.done()) {
      return false;
    }
    JobRun run = window.task.run;
    WindowTask next = null;
    try {
      next = accept(window, decoder);
    } catch (Throwable e) {
      run.fail(e);
    }
    leave(window);
    if (next != null) {
      encodeQueue.put(next);
    }
    return true;
  }

  private WindowTask accept(LiveWindow window, DecoderBatch decoder) throws JobException {
    JobRun run = window.task.run;
    Optional<AlignmentRequest> wanted = run.transcription.accept(window.decoding.result());
    if (wanted.isPresent()) {
      long started = System.nanoTime();
      AlignmentRequest w = wanted.get();
      Alignment alignment =
          decoder
              .align(
                  List.of(
                      new dev.amanuensis.engine.AlignmentRequest(
                          window.task.crossKv, w.sotSequence(), w.textTokens(), w.frames())))
              .get(0);
      run.transcription.acceptAlignment(alignment.startFrames(), alignment.probabilities());
      run.add("align", System.nanoTime() - started);
    }
    return Windows.next(run);
  }

  private void leave(LiveWindow window) {
    try {
      window.close();
    } catch (RuntimeException e) {
      window.task.run.fail(e);
    }
    giveBack(window.task);
    window.task.run.leave("decode");
  }

  private void giveBack(WindowTask task) {
    crossKvBuffers.add(task.crossKv);
  }
}
