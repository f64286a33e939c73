package dev.amanuensis.worker.pipeline;

import dev.amanuensis.engine.EncoderLane;
import dev.amanuensis.engine.Engine;
import dev.amanuensis.engine.NativeBuffer;
import dev.amanuensis.worker.source.PreparedAudio;
import java.util.concurrent.BlockingQueue;

/**
 * Lanes that turn windows into cross-attention K/V. A lane owns its mel and state buffers; the K/V
 * buffers are few, which holds the lanes back when the decoder is behind.
 */
final class EncodeStage {
  /** Samples before its position that a log-mel frame reaches back to. */
  private static final int REACH = 200;

  private final StageQueue<WindowTask> queue;
  private final StageQueue<WindowTask> next;
  private final BlockingQueue<NativeBuffer> crossKvBuffers;
  private final Engine engine;

  EncodeStage(
      StageQueue<WindowTask> queue,
      StageQueue<WindowTask> next,
      BlockingQueue<NativeBuffer> crossKvBuffers,
      Engine engine) {
    this.queue = queue;
    this.next = next;
    this.crossKvBuffers = crossKvBuffers;
    this.engine = engine;
  }

  /** One lane. */
  void loop() throws InterruptedException {
    try (EncoderLane lane = engine.newLane(1);
        NativeBuffer mel = NativeBuffer.allocate(engine.info().melBytes());
        NativeBuffer states = NativeBuffer.allocate(engine.info().encoderBytes())) {
      while (true) {
        // The buffer first: what is urgent may still arrive while the decoder is behind.
        NativeBuffer crossKv = crossKvBuffers.take();
        boolean handedOn = false;
        try {
          WindowTask task = queue.take();
          handedOn = encode(task, lane, mel, states, crossKv);
        } finally {
          if (!handedOn) {
            crossKvBuffers.add(crossKv);
          }
        }
      }
    }
  }

  /** Frames of the window before the padding, or before the silence after the end of the file. */
  private static int contentFrames(WindowTask task, long samples) {
    long heard = (samples + REACH + Engine.HOP - 1) / Engine.HOP - task.firstFrame();
    return (int) Math.max(0, Math.min(task.frames(), heard));
  }

  private boolean encode(
      WindowTask task,
      EncoderLane lane,
      NativeBuffer mel,
      NativeBuffer states,
      NativeBuffer crossKv) {
    JobRun run = task.run;
    if (!run.enter(Stage.ENCODE)) {
      return false;
    }
    boolean encoded = false;
    try {
      PreparedAudio audio = run.audio();
      long started = System.nanoTime();
      engine.melWindow(
          audio.pcm(), audio.samples(), task.firstFrame(), task.frames(), run.globalMax, mel);
      run.add("mel", System.nanoTime() - started);
      int content = contentFrames(task, audio.samples());
      lane.encode(mel, content, states);
      lane.crossKv(states, content, crossKv);
      encoded = true;
    } catch (Throwable e) {
      run.fail(e);
    } finally {
      run.leave("encode");
    }
    if (encoded) {
      task.crossKv = crossKv;
      next.put(task);
    }
    return encoded;
  }
}
