package dev.amanuensis.gateway;

import dev.amanuensis.schema.Partial;
import dev.amanuensis.schema.Segment;
import dev.amanuensis.schema.Transcript;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;

/**
 * Requests that wait for their transcripts. Whoever brings a transcript or an error is not held up:
 * what follows from it, up to the last byte of the answer, runs on the threads for answers.
 * Thread-safe.
 */
final class WaitingRoom {
  private final int size;
  private final Semaphore places;
  private final Executor answers;
  private final Consumer<String> onClaimDone;
  private final Map<String, Ticket> waiting = new ConcurrentHashMap<>();
  private volatile ApiException closed;

  /** A request that waits; segments go to it as they become final if it streams. */
  static final class Ticket {
    private final String id;
    private final Consumer<List<Segment>> onSegments;
    private final CompletableFuture<Transcript> result = new CompletableFuture<>();
    private volatile boolean claimed;

    private Ticket(String id, Consumer<List<Segment>> onSegments) {
      this.id = id;
      this.onSegments = onSegments;
    }

    /** The transcript, or an {@link ApiException}. */
    CompletableFuture<Transcript> result() {
      return result;
    }

    /** Its audio is in the claim store. */
    void claimed() {
      claimed = true;
    }
  }

  /**
   * @param size requests at once
   * @param answers on which results are completed
   * @param onClaimDone gets the id of each job that is done and whose audio was claimed
   */
  WaitingRoom(int size, Executor answers, Consumer<String> onClaimDone) {
    this.size = size;
    this.places = new Semaphore(size);
    this.answers = answers;
    this.onClaimDone = onClaimDone;
  }

  /**
   * @param onSegments gets all segments that are final so far, now and then; null: not streamed
   * @throws ApiException 429, 409 or 503
   */
  Ticket enter(String id, Consumer<List<Segment>> onSegments) {
    if (!places.tryAcquire()) {
      throw ApiException.busy("%d requests wait for their transcripts already".formatted(size));
    }
    Ticket ticket = new Ticket(id, onSegments);
    if (waiting.putIfAbsent(id, ticket) != null) {
      places.release();
      throw ApiException.last(409, "job_exists", "a request with this X-Job-Id is under way");
    }
    ApiException reason = closed;
    if (reason != null && leave(ticket)) {
      throw reason;
    }
    return ticket;
  }

  /**
   * Without an answer.
   *
   * @return false if it had left already
   */
  boolean leave(Ticket ticket) {
    boolean left = waiting.remove(ticket.id, ticket);
    if (left) {
      places.release();
    }
    return left;
  }

  /** Nobody may wait for it. */
  void arrived(Transcript transcript) {
    Ticket ticket = waiting.get(transcript.getJobId());
    if (ticket != null && leave(ticket)) {
      answers.execute(() -> ticket.result.complete(transcript));
      if (ticket.claimed) {
        onClaimDone.accept(ticket.id);
      }
    }
  }

  void progressed(Partial partial) {
    Ticket ticket = waiting.get(partial.getJobId());
    if (ticket != null && ticket.onSegments != null) {
      ticket.onSegments.accept(partial.getSegments());
    }
  }

  /** Does nothing if the request has its answer. */
  void fail(Ticket ticket, ApiException reason) {
    if (leave(ticket)) {
      answers.execute(() -> ticket.result.completeExceptionally(reason));
    }
  }

  /** Everybody gets this answer, those who come later too. */
  void close(ApiException reason) {
    closed = reason;
    waiting.values().forEach(ticket -> fail(ticket, reason));
  }

  boolean holds(String id) {
    return waiting.containsKey(id);
  }

  boolean streams(String id) {
    Ticket ticket = waiting.get(id);
    return ticket != null && ticket.onSegments != null;
  }

  int waiting() {
    return waiting.size();
  }
}
