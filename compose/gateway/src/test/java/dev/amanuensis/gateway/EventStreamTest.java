package dev.amanuensis.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.amanuensis.schema.Segment;
import dev.amanuensis.schema.Status;
import dev.amanuensis.schema.Transcript;
import dev.amanuensis.schema.serde.TrustedClasses;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class EventStreamTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final EventStream stream = new EventStream(bytes, Runnable::run);

  @BeforeEach
  void start() {
    stream.start();
  }

  @BeforeAll
  static void trust() {
    TrustedClasses.register();
  }

  private static Segment segment(int id, String text) {
    return Segment.newBuilder().setId(id).setText(text).build();
  }

  private static Transcript transcript(List<Segment> segments) {
    StringBuilder text = new StringBuilder();
    segments.forEach(s -> text.append(s.getText()));
    return Transcript.newBuilder()
        .setJobId("id")
        .setStatus(Status.COMPLETED)
        .setText(text.toString())
        .setSegments(segments)
        .build();
  }

  private List<JsonNode> events() throws IOException {
    List<JsonNode> events = new ArrayList<>();
    for (String event : bytes.toString(StandardCharsets.UTF_8).split("\n\n")) {
      events.add(
          Answers.JSON.readTree(event.lines().skip(1).findFirst().orElseThrow().substring(6)));
    }
    return events;
  }

  @Test
  void deltasArriveOnceEachAndAddUpToTheText() throws IOException {
    List<Segment> all =
        List.of(segment(0, " One."), segment(1, " Zwei\n2."), segment(2, " Three."));
    stream.progressed(all.subList(0, 1));
    stream.progressed(all.subList(0, 1)); // a retried attempt repeats what is final
    stream.progressed(all.subList(0, 2));
    stream.done(transcript(all));
    List<JsonNode> events = events();
    assertThat(events).hasSize(4);
    StringBuilder text = new StringBuilder();
    events.subList(0, 3).forEach(e -> text.append(e.get("delta").asText()));
    assertThat(text.toString()).isEqualTo("One. Zwei\n2. Three.");
    assertThat(events.get(3).get("type").asText()).isEqualTo("transcript.text.done");
    assertThat(events.get(3).get("text").asText()).isEqualTo(text.toString());
  }

  @Test
  void aFailedJobEndsInAnErrorEvent() throws IOException {
    stream.done(
        Transcript.newBuilder()
            .setJobId("id")
            .setStatus(Status.FAILED)
            .setErrorCode("AUDIO_UNREADABLE")
            .setErrorMessage("no audio")
            .build());
    assertThat(events()).hasSize(1);
    assertThat(events().get(0).at("/error/code").asText()).isEqualTo("audio_unreadable");
  }

  @Test
  void aClientThatHasGoneIsNotWrittenToAgain() {
    int[] writes = {0};
    EventStream gone =
        new EventStream(
            new OutputStream() {
              @Override
              public void write(int b) throws IOException {
                writes[0]++;
                throw new IOException("broken pipe");
              }
            },
            Runnable::run);
    gone.start();
    gone.progressed(List.of(segment(0, " One.")));
    gone.done(transcript(List.of(segment(0, " One."))));
    assertThat(writes[0]).isEqualTo(1);
    assertThat(gone.ended()).isDone();
  }

  @Test
  void nothingIsWrittenBeforeTheHeadOfTheAnswer() {
    EventStream stream = new EventStream(bytes, Runnable::run);
    stream.progressed(List.of(segment(0, " One.")));
    assertThat(bytes.size()).isZero();
    stream.start();
    assertThat(bytes.toString(StandardCharsets.UTF_8)).contains("One.");
  }

  @Test
  @Timeout(10)
  void clientThatDoesNotReadHoldsNobodyUpAndGetsEverythingLater() throws Exception {
    CountDownLatch blocked = new CountDownLatch(1);
    CountDownLatch reads = new CountDownLatch(1);
    OutputStream stalled =
        new OutputStream() {
          @Override
          public void write(int b) {
            blocked.countDown();
            try {
              reads.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
            bytes.write(b);
          }
        };
    try (AnswerPool pool = new AnswerPool()) {
      EventStream slow = new EventStream(stalled, pool);
      slow.start();
      List<Segment> all = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        all.add(segment(i, " word" + i));
        slow.progressed(List.copyOf(all));
        blocked.await();
      }
      slow.done(transcript(all));
      ByteArrayOutputStream other = new ByteArrayOutputStream();
      EventStream quick = new EventStream(other, pool);
      quick.start();
      quick.done(transcript(all));
      quick.ended().join();
      assertThat(other.toString(StandardCharsets.UTF_8)).contains("transcript.text.done");
      assertThat(slow.ended()).isNotDone();
      reads.countDown();
      slow.ended().join();
    }
    assertThat(events()).hasSize(101);
    assertThat(events().get(100).get("text").asText()).endsWith("word98 word99");
  }
}
