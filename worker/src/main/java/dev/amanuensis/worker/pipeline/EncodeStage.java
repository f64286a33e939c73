package dev.amanuensis.worker.pipeline;

import dev.amanuensis.engine.Copies;
import dev.amanuensis.worker.buffers.BufferManager;
import dev.amanuensis.worker.buffers.Pool;
import dev.amanuensis.worker.buffers.PoolExhaustedException;
import dev.amanuensis.worker.device.Device;
import dev.amanuensis.worker.device.SpeechModel;
import dev.amanuensis.worker.pipeline.StageQueue.Waiting;
import dev.amanuensis.worker.source.PreparedAudio;
import dev.amanuensis.worker.transcription.Geometry;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Turns windows into cross-attention K/V: log-mel straight into a leased buffer, which the device
 * reads; encoder states straight into another, which is given back once K and V are computed.
 */
final class EncodeStage {
  /** Samples before its position that a log-mel frame reaches back to. */
  private static final int REACH = 200;

  private final StageQueue<WindowTask> queue;
  private final StageQueue<WindowTask> next;
  private final BufferManager buffers;
  private final SpeechModel model;
  private final Device device;
  private final Faults faults;

  /** One lane at a time: else one could fail the window for which another holds the buffers. */
  private final ReentrantLock choosing = new ReentrantLock();

  EncodeStage(
      StageQueue<WindowTask> queue,
      StageQueue<WindowTask> next,
      BufferManager buffers,
      SpeechModel model,
      Device device,
      Faults faults) {
    this.queue = queue;
    this.next = next;
    this.buffers = buffers;
    this.model = model;
    this.device = device;
    this.faults = faults;
  }

  Lane newLane() {
    return new Lane(device.newLane());
  }

  /** One thread. */
  void loop() throws InterruptedException {
    try (Lane lane = newLane()) {
      while (true) {
        lane.turn();
      }
    }
  }

  /** Frames of the window before the padding, or before the silence after the end of the file. */
  private static int contentFrames(WindowTask task, long samples) {
    long heard = (samples + REACH + Geometry.HOP - 1) / Geometry.HOP - task.firstFrame();
    return (int) Math.max(0, Math.min(task.frames(), heard));
  }

  /** Belongs to one thread. */
  final class Lane implements AutoCloseable {
    private final Device.Lane lane;

    Lane(Device.Lane lane) {
      this.lane = lane;
    }

    /** Encodes one window. The work is chosen last: see {@link PrepareStage#turn}. */
    void turn() throws InterruptedException {
      choosing.lockInterruptibly();
      try {
        queue.awaitItem();
        next.reserve(queue::priority);
        chooseAndEncode();
      } finally {
        if (choosing.isHeldByCurrentThread()) {
          choosing.unlock();
        }
      }
    }

    /** Gives the turn to choose up once it has chosen. */
    private void chooseAndEncode() throws InterruptedException {
      boolean placed = false;
      try (Held crossKv = new Held(buffers.acquire(Pool.CROSS_KV, "the encode stage"));
          Held mel = new Held(buffers.acquire(Pool.MEL, "the encode stage"));
          Held states = new Held(buffers.acquire(Pool.ENCODER, "the encode stage"))) {
        Waiting<WindowTask> waiting = queue.poll();
        choosing.unlock();
        if (waiting != null && encode(waiting, mel, states, crossKv)) {
          placed = true;
          next.put(waiting.item());
        }
      } catch (PoolExhaustedException e) {
        Waiting<WindowTask> loser = queue.poll();
        if (loser != null) {
          loser.run().fail(e);
        }
      } finally {
        if (!placed) {
          next.release();
        }
      }
    }

    private boolean encode(Waiting<WindowTask> waiting, Held mel, Held states, Held crossKv)
        throws InterruptedException {
      WindowTask task = waiting.item();
      JobRun run = task.run;
      if (!run.enter(Stage.ENCODE, waiting.waited())) {
        return false;
      }
      try {
        faults.at(Stage.ENCODE, run.job);
        crossKv.lease().handTo(task.label());
        mel.lease().handTo(task.label());
        states.lease().handTo(task.label());
        Copies before = Copies.ofThread();
        compute(task, mel, states, crossKv);
        run.copied(Copies.ofThread().minus(before));
        task.crossKv = crossKv.take();
        return true;
      } catch (InterruptedException e) {
        if (!run.hasEnded()) {
          throw e; // the pipeline is closing
        }
      } catch (RuntimeException e) {
        run.fail(e);
      } catch (Error e) {
        run.fail(e);
        throw e;
      } finally {
        run.leave("encode");
      }
      return false;
    }

    private void compute(WindowTask task, Held mel, Held states, Held crossKv) {
      PreparedAudio audio = task.run.audio();
      long started = System.nanoTime();
      model.melWindow(
          audio.pcm(),
          audio.samples(),
          task.firstFrame(),
          task.frames(),
          task.run.globalMax,
          mel.lease().buffer());
      task.run.add("mel", System.nanoTime() - started);
      int content =
          task.wantsEveryRow() ? Geometry.WINDOW_FRAMES : contentFrames(task, audio.samples());
      task.thinned = lane.thinsPadding(content);
      lane.encode(mel.lease().buffer(), content, states.lease().buffer());
      mel.close();
      lane.crossKv(states.lease().buffer(), content, crossKv.lease().buffer());
      states.close();
    }

    @Override
    public void close() {
      lane.close();
    }
  }
}
