package dev.amanuensis.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.amanuensis.schema.Status;
import dev.amanuensis.schema.Transcript;
import dev.amanuensis.schema.serde.TrustedClasses;
import io.javalin.Javalin;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class WaitingRoomTest {
  private final AnswerPool pool = new AnswerPool();
  private final List<String> removed = new CopyOnWriteArrayList<>();
  private final WaitingRoom room = new WaitingRoom(2, pool, removed::add);

  @BeforeAll
  static void trust() {
    TrustedClasses.register();
  }

  @AfterEach
  void close() {
    pool.close();
  }

  private static Transcript transcript(String id, String text) {
    return Transcript.newBuilder().setJobId(id).setStatus(Status.COMPLETED).setText(text).build();
  }

  @Test
  void clientThatNeverReadsALargeAnswerDelaysNoOther() throws Exception {
    Javalin server =
        Javalin.create(
                c ->
                    c.routes.get(
                        "/{id}",
                        ctx -> {
                          WaitingRoom.Ticket ticket = room.enter(ctx.pathParam("id"), null);
                          ctx.future(
                              () -> ticket.result().thenAccept(t -> ctx.result(t.getText())));
                        }))
            .start("127.0.0.1", 0);
    try (Socket stalled = new Socket("127.0.0.1", server.port())) {
      OutputStream out = stalled.getOutputStream();
      out.write("GET /stalled HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      HttpRequest request =
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + "/other"))
              .build();
      CompletableFuture<HttpResponse<String>> other =
          HttpClient.newHttpClient().sendAsync(request, HttpResponse.BodyHandlers.ofString());
      while (room.waiting() < 2) {
        Thread.sleep(1);
      }
      // As the thread that reads the transcripts does; more than the sockets' buffers hold.
      room.arrived(transcript("stalled", "x".repeat(32 << 20)));
      room.arrived(transcript("other", "text"));
      assertThat(other.get(5, TimeUnit.SECONDS).body()).isEqualTo("text");
      pool.awaitIdle(Duration.ofMillis(200));
      assertThat(stalled.getInputStream().read()).as("it was answered").isEqualTo('H');
    } finally {
      server.stop();
    }
  }

  /** Whose removals take until it is let go. */
  private static final class HangingClaims implements ClaimStore {
    final CountDownLatch called = new CountDownLatch(1);
    final CountDownLatch go = new CountDownLatch(1);

    @Override
    public URI put(String jobId, Audio audio, long bytes) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void remove(String jobId) {
      called.countDown();
      try {
        go.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void sweep(Instant before) {}

    @Override
    public void close() {}
  }

  @Test
  void claimStoreThatHangsDelaysNoAnswer() throws Exception {
    HangingClaims claims = new HangingClaims();
    try (ClaimRemovals removals = new ClaimRemovals(claims, Duration.ofDays(1))) {
      WaitingRoom room = new WaitingRoom(2, pool, removals::remove);
      for (String id : List.of("a", "b")) {
        WaitingRoom.Ticket ticket = room.enter(id, null);
        ticket.claimed();
        room.arrived(transcript(id, "text"));
        assertThat(ticket.result().get(5, TimeUnit.SECONDS).getText()).isEqualTo("text");
      }
      assertThat(claims.called.await(5, TimeUnit.SECONDS)).isTrue();
      claims.go.countDown();
    }
  }

  @Test
  void onlyAudioThatWasClaimedIsRemoved() {
    room.enter("inline", null);
    room.enter("claimed", null).claimed();
    room.arrived(transcript("inline", ""));
    room.arrived(transcript("claimed", ""));
    assertThat(removed).containsExactly("claimed");
    assertThat(room.waiting()).isZero();
  }

  @Test
  void audioOfAJobThatGoesOnStays() {
    WaitingRoom.Ticket ticket = room.enter("late", null);
    ticket.claimed();
    room.fail(ticket, ApiException.last(504, "timeout", "late"));
    assertThat(ticket.result()).failsWithin(Duration.ofSeconds(5));
    room.arrived(transcript("late", ""));
    assertThat(removed).isEmpty();
  }

  @Test
  void placesAreFreeAgainHoweverARequestLeaves() {
    for (int i = 0; i < 5; i++) {
      WaitingRoom.Ticket left = room.enter("left", null);
      WaitingRoom.Ticket failed = room.enter("failed", null);
      assertThatThrownBy(() -> room.enter("third", null)).hasMessageContaining("2 requests wait");
      assertThat(room.leave(left)).isTrue();
      assertThat(room.leave(left)).isFalse();
      room.fail(failed, ApiException.of(503, "x", "x"));
      room.fail(failed, ApiException.of(503, "x", "x"));
      room.enter("answered", null);
      room.arrived(transcript("answered", ""));
    }
    assertThat(room.waiting()).isZero();
  }

  @Test
  void closedRoomAnswersThoseInsideAndThoseWhoCome() {
    WaitingRoom.Ticket ticket = room.enter("inside", null);
    room.close(ApiException.of(503, "stopping", "stopping"));
    assertThat(ticket.result()).failsWithin(Duration.ofSeconds(5));
    assertThatThrownBy(() -> room.enter("later", null)).hasMessage("stopping");
    assertThat(room.waiting()).isZero();
  }
}
