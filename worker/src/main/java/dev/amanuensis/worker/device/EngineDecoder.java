package dev.amanuensis.worker.device;

import dev.amanuensis.engine.Alignment;
import dev.amanuensis.engine.DecoderBatch;
import dev.amanuensis.engine.NativeBuffer;
import dev.amanuensis.engine.StepBatch;
import dev.amanuensis.worker.transcription.AlignmentRequest;
import dev.amanuensis.worker.transcription.SlotOptions;
import dev.amanuensis.worker.transcription.StepRequest;
import dev.amanuensis.worker.transcription.StepResult;
import java.util.ArrayList;
import java.util.List;

/** The native decoder. */
final class EngineDecoder implements Decoder {
  private final DecoderBatch decoder;
  private final StepBatch steps;

  /** Takes the decoder over. */
  EngineDecoder(DecoderBatch decoder) {
    this.decoder = decoder;
    this.steps = decoder.newSteps();
  }

  @Override
  public int open(NativeBuffer crossKv, SlotOptions o) {
    return decoder.openSlot(
        crossKv,
        new dev.amanuensis.engine.SlotOptions(
            o.suppressBlank(), o.timestamps(), o.maxInitialTimestamp(), o.suppress()));
  }

  @Override
  public int fork(int slot) {
    return decoder.forkSlot(slot);
  }

  @Override
  public void reorder(int[] slots, int[] sources) {
    decoder.reorder(slots, sources);
  }

  @Override
  public void close(int slot) {
    decoder.closeSlot(slot);
  }

  @Override
  public List<StepResult> step(List<StepRequest> rows) {
    steps.clear();
    rows.forEach(this::add);
    decoder.step(steps);
    List<StepResult> results = new ArrayList<>(rows.size());
    for (int i = 0; i < rows.size(); i++) {
      results.add(result(i));
    }
    return results;
  }

  private void add(StepRequest r) {
    int row =
        r.prompt()
            ? steps.addPrompt(r.slot(), r.tokens())
            : steps.add(r.slot(), r.tokens(), r.tokens().length);
    if (r.draft().length > 0) {
      steps.draft(row, r.draft());
    }
    if (r.noSpeechRow() >= 0) {
      steps.noSpeechRow(row, r.noSpeechRow());
    }
    if (r.topK() > 0) {
      steps.topK(row, r.topK());
    }
    if (r.temperature() > 0) {
      steps.sample(row, r.temperature(), r.uniform());
    }
  }

  private StepResult result(int row) {
    int n = steps.candidates(row);
    int[] tokens = new int[n];
    float[] logprobs = new float[n];
    for (int i = 0; i < n; i++) {
      tokens[i] = steps.candidateToken(row, i);
      logprobs[i] = steps.candidateLogprob(row, i);
    }
    List<StepResult.Confirmed> confirmed = new ArrayList<>(steps.confirmed(row));
    for (int i = 0; i < steps.confirmed(row); i++) {
      confirmed.add(
          new StepResult.Confirmed(steps.confirmedLogprob(row, i), steps.confirmedMargin(row, i)));
    }
    return new StepResult(
        confirmed,
        steps.token(row),
        steps.logprob(row),
        steps.noSpeechProbability(row),
        tokens,
        logprobs,
        steps.margin(row));
  }

  @Override
  public float[] detectLanguage(NativeBuffer crossKv) {
    return decoder.detectLanguage(crossKv);
  }

  @Override
  public Alignment align(NativeBuffer crossKv, AlignmentRequest r) {
    return decoder
        .align(
            List.of(
                new dev.amanuensis.engine.AlignmentRequest(
                    crossKv, r.sotSequence(), r.textTokens(), r.frames())))
        .get(0);
  }

  @Override
  public void close() {
    steps.close();
    decoder.close();
  }
}
