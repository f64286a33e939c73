package dev.amanuensis.gateway;

import dev.amanuensis.schema.Segment;
import dev.amanuensis.schema.Transcript;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/**
 * OpenAI's server-sent events of a transcription: {@code transcript.text.delta} for text as it
 * becomes final, {@code transcript.text.done} with all of it. One thread at a time writes them, and
 * nobody waits for it: while a client does not read, what is new replaces what was to be written
 * next. Thread-safe.
 */
final class EventStream {
  private final OutputStream out;
  private final Executor writers;
  private final CompletableFuture<Void> ended = new CompletableFuture<>();

  // Guarded by this.
  private List<Segment> latest = List.of();
  private String last; // the event at the end
  private boolean started;
  private boolean writing;

  // The writer's.
  private int segments;

  /** What is to be written next. */
  private record Due(List<Segment> segments, String last) {}

  /**
   * @param writers which may block while the client does not read
   */
  EventStream(OutputStream out, Executor writers) {
    this.out = out;
    this.writers = writers;
  }

  /** Nothing is written before. */
  synchronized void start() {
    started = true;
    write();
  }

  /** All segments that are final so far; what is new is sent. */
  synchronized void progressed(List<Segment> all) {
    if (last == null && all.size() > latest.size()) {
      latest = all;
      write();
    }
  }

  /** The end, well or not. */
  void done(Transcript transcript) {
    try {
      Answers.failIfFailed(transcript);
    } catch (ApiException e) {
      failed(e);
      return;
    }
    String text = Answers.text(transcript);
    progressed(transcript.getSegments());
    end(event("transcript.text.done", Map.of("type", "transcript.text.done", "text", text)));
  }

  void failed(ApiException e) {
    end(event("error", e.body()));
  }

  private synchronized void end(String event) {
    if (last == null) {
      last = event;
      write();
    }
  }

  /** Completes when the last event is written, or the client has gone; never exceptionally. */
  CompletableFuture<Void> ended() {
    return ended;
  }

  private void write() {
    if (started && !writing && !ended.isDone()) {
      writing = true;
      writers.execute(this::run);
    }
  }

  private void run() {
    try {
      for (Due due = next(); due != null; due = next()) {
        send(due);
      }
    } catch (IOException e) {
      ended.complete(null); // the client has gone or reads nothing; its job goes on
    }
  }

  /** Null if there is nothing for now. */
  private synchronized Due next() {
    if (ended.isDone() || (last == null && segments >= latest.size())) {
      writing = false;
      return null;
    }
    return new Due(latest, last);
  }

  private void send(Due due) throws IOException {
    for (; segments < due.segments.size(); segments++) {
      String text = due.segments.get(segments).getText();
      // The whole text starts without the space that each segment starts with.
      String delta = segments == 0 ? text.stripLeading() : text;
      if (!delta.isEmpty()) {
        Map<String, String> data = Map.of("type", "transcript.text.delta", "delta", delta);
        send(event("transcript.text.delta", data));
      }
    }
    if (due.last != null) {
      send(due.last);
      ended.complete(null);
    }
  }

  private void send(String event) throws IOException {
    out.write(event.getBytes(StandardCharsets.UTF_8));
    out.flush();
  }

  private static String event(String name, Map<String, ?> data) {
    return "event: " + name + "\ndata: " + Answers.json(data).body() + "\n\n";
  }
}
