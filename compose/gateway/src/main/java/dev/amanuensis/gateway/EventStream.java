package dev.amanuensis.gateway;

import dev.amanuensis.schema.Segment;
import dev.amanuensis.schema.Transcript;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * OpenAI's server-sent events of a transcription: {@code transcript.text.delta} for text as it
 * becomes final, {@code transcript.text.done} with all of it. Thread-safe.
 */
final class EventStream {
  private final OutputStream out;
  private int segments;
  private boolean broken;

  EventStream(OutputStream out) {
    this.out = out;
  }

  /** All segments that are final so far; what is new is sent. */
  synchronized void progressed(List<Segment> all) {
    for (; segments < all.size(); segments++) {
      String text = all.get(segments).getText();
      // The whole text starts without the space that each segment starts with.
      String delta = segments == 0 ? text.stripLeading() : text;
      if (!delta.isEmpty()) {
        send("transcript.text.delta", Map.of("type", "transcript.text.delta", "delta", delta));
      }
    }
  }

  /** The end, well or not. */
  synchronized void done(Transcript transcript) {
    try {
      Answers.failIfFailed(transcript);
    } catch (ApiException e) {
      failed(e);
      return;
    }
    progressed(transcript.getSegments());
    send(
        "transcript.text.done",
        Map.of("type", "transcript.text.done", "text", Answers.text(transcript)));
  }

  synchronized void failed(ApiException e) {
    send("error", e.body());
  }

  private void send(String event, Map<String, ?> data) {
    if (broken) {
      return;
    }
    String text = "event: " + event + "\ndata: " + Answers.json(data).body() + "\n\n";
    try {
      out.write(text.getBytes(StandardCharsets.UTF_8));
      out.flush();
    } catch (IOException e) {
      broken = true; // the client has gone; its job goes on
    }
  }
}
