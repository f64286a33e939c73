package dev.amanuensis.worker.transcription;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.BiFunction;

/** Slots that remember their tokens, and a decoder whose choice is a function of them. */
final class FakePort implements SequencePort {
  final TreeMap<Integer, List<Integer>> open = new TreeMap<>();
  final List<SlotOptions> opened = new ArrayList<>();
  int most;
  private static final int FIRST = 40;
  private int next = FIRST;

  @Override
  public int open(SlotOptions options) {
    opened.add(options);
    return add(new ArrayList<>());
  }

  @Override
  public int fork(int slot) {
    return add(new ArrayList<>(tokens(slot)));
  }

  private int add(List<Integer> tokens) {
    open.put(next, tokens);
    most = Math.max(most, open.size());
    return next++;
  }

  @Override
  public void reorder(int[] slots, int[] sources) {
    List<List<Integer>> before = new ArrayList<>();
    for (int slot : slots) {
      before.add(tokens(slot));
    }
    for (int i = 0; i < slots.length; i++) {
      assertThat(before.get(i)).hasSameSizeAs(before.get(0));
      open.put(slots[i], new ArrayList<>(before.get(sources[i])));
    }
  }

  @Override
  public void close(int slot) {
    assertThat(open.remove(slot)).as("slot " + slot + " is open").isNotNull();
  }

  int firstSlot() {
    return FIRST;
  }

  List<Integer> tokens(int slot) {
    assertThat(open).containsKey(slot);
    return open.get(slot);
  }

  /** Appends the requests' tokens to their slots and asks {@code model} what follows. */
  List<StepResult> step(
      List<StepRequest> requests, BiFunction<List<Integer>, StepRequest, StepResult> model) {
    List<StepResult> results = new ArrayList<>();
    for (StepRequest request : requests) {
      List<Integer> tokens = tokens(request.slot());
      assertThat(request.prompt() || !tokens.isEmpty()).isTrue();
      for (int token : request.tokens()) {
        tokens.add(token);
      }
      assertThat(tokens.size()).isLessThanOrEqualTo(Geometry.TEXT_CONTEXT);
      results.add(choose(tokens, request, model));
    }
    return results;
  }

  /** As the decoder does it: goes on behind the draft as far as it is right. */
  private static StepResult choose(
      List<Integer> tokens,
      StepRequest request,
      BiFunction<List<Integer>, StepRequest, StepResult> model) {
    List<StepResult.Confirmed> confirmed = new ArrayList<>();
    assertThat(tokens.size() + request.draft().length).isLessThanOrEqualTo(Geometry.TEXT_CONTEXT);
    for (int guess : request.draft()) {
      StepResult result = model.apply(List.copyOf(tokens), request);
      if (result.token() != guess) {
        break;
      }
      confirmed.add(new StepResult.Confirmed(result.logprob(), result.margin()));
      tokens.add(guess);
    }
    StepResult last = model.apply(List.copyOf(tokens), request);
    return new StepResult(
        confirmed,
        last.token(),
        last.logprob(),
        last.noSpeechProb(),
        last.topTokens(),
        last.topLogprobs(),
        last.margin());
  }
}
