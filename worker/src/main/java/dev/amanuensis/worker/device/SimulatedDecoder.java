package dev.amanuensis.worker.device;

import dev.amanuensis.engine.Alignment;
import dev.amanuensis.engine.NativeBuffer;
import dev.amanuensis.worker.transcription.AlignmentRequest;
import dev.amanuensis.worker.transcription.SlotOptions;
import dev.amanuensis.worker.transcription.StepRequest;
import dev.amanuensis.worker.transcription.StepResult;
import dev.amanuensis.worker.transcription.Tokenizer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Writes {@code [simulated 1a2b3c4d]}: eight hex digits of the window, one token a step as a real
 * decoder would, between the timestamps of the whole window.
 */
final class SimulatedDecoder implements Decoder {
  /** What is one token each of the simulated vocabulary. */
  static final String[] WORDS = {" [", "simulated"};

  private static final float LOGPROB = -0.05f;
  private static final float NO_SPEECH = 0.01f;

  /** What a sequence will say, and how much of it is said. */
  private static final class Script {
    final int[] tokens;
    int said;

    Script(int[] tokens, int said) {
      this.tokens = tokens;
      this.said = said;
    }
  }

  private final Tokenizer tokenizer;
  private final Script[] slots;
  private final long stepNanos;

  SimulatedDecoder(Tokenizer tokenizer, int maxSequences, Duration stepTime) {
    this.tokenizer = tokenizer;
    this.slots = new Script[maxSequences];
    this.stepNanos = stepTime.toNanos();
  }

  @Override
  public int open(NativeBuffer crossKv, SlotOptions options) {
    int window = crossKv.bytes().getInt(0);
    int[] text = tokenizer.encode(" [simulated %08x]".formatted(window));
    List<Integer> tokens = new ArrayList<>();
    if (options.timestamps()) {
      tokens.add(tokenizer.timestampBegin());
    }
    for (int token : text) {
      tokens.add(token);
    }
    if (options.timestamps()) {
      tokens.add(tokenizer.timestampBegin() + 1500);
    }
    tokens.add(tokenizer.eot());
    return put(new Script(tokens.stream().mapToInt(Integer::intValue).toArray(), 0));
  }

  private int put(Script script) {
    for (int i = 0; i < slots.length; i++) {
      if (slots[i] == null) {
        slots[i] = script;
        return i;
      }
    }
    throw new IllegalStateException("all " + slots.length + " slots are open");
  }

  @Override
  public int fork(int slot) {
    return put(new Script(slots[slot].tokens, slots[slot].said));
  }

  @Override
  public void reorder(int[] to, int[] sources) {
    // Forks of one slot that have said equally much: all the same.
  }

  @Override
  public void close(int slot) {
    slots[slot] = null;
  }

  @Override
  public List<StepResult> step(List<StepRequest> rows) {
    if (stepNanos > 0) {
      LockSupport.parkNanos(stepNanos);
    }
    return rows.stream().map(this::step).toList();
  }

  private StepResult step(StepRequest row) {
    Script script = slots[row.slot()];
    int token = script.tokens[Math.min(script.said++, script.tokens.length - 1)];
    int[] top = new int[row.topK()];
    float[] logprobs = new float[row.topK()];
    for (int i = 0; i < top.length; i++) {
      top[i] = i == 0 ? token : (token + i) % tokenizer.eot();
      logprobs[i] = i == 0 ? LOGPROB : LOGPROB - 10 * i;
    }
    return new StepResult(token, LOGPROB, NO_SPEECH, top, logprobs, 10);
  }

  @Override
  public float[] detectLanguage(NativeBuffer crossKv) {
    float[] probabilities = new float[tokenizer.languages().size()];
    probabilities[tokenizer.languages().indexOf("en")] = 1;
    return probabilities;
  }

  /** The words evenly over the audio. */
  @Override
  public Alignment align(NativeBuffer crossKv, AlignmentRequest r) {
    int n = r.textTokens().length;
    int[] frames = new int[n + 1];
    float[] probabilities = new float[n];
    for (int i = 0; i <= n; i++) {
      frames[i] = r.frames() / 2 * i / n;
    }
    java.util.Arrays.fill(probabilities, 1);
    return new Alignment(frames, probabilities);
  }

  @Override
  public void close() {}
}
