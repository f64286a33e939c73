package dev.amanuensis.gateway;

import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.schema.AudioJob;
import dev.amanuensis.schema.Task;
import dev.amanuensis.schema.Transcript;
import dev.amanuensis.schema.serde.TrustedClasses;
import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import io.javalin.http.Handler;
import io.javalin.http.HandlerType;
import jakarta.servlet.http.Part;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * OpenAI's audio endpoints over Kafka, to be served by any Javalin: the gateway's own, or a
 * worker's admin server. A request holds no thread while it waits.
 */
public final class GatewayRoutes implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(GatewayRoutes.class);
  private static final int RETRY_SECONDS = 5;
  private static final long CREATED = 1_663_804_800; // when OpenAI published Whisper

  private final GatewayConfig config;
  private final ApiKeys keys;
  private final Uploads uploads;
  private final ClaimStore claims;
  private final UnaryOperator<String> languageName;
  private volatile JobGate gate;

  /**
   * Answers 503 until it is opened: a server may be up before Kafka is.
   *
   * @param claims for large audio, or null; taken over
   * @param languageName Whisper's English name for a code
   */
  public GatewayRoutes(
      GatewayConfig config, ClaimStore claims, UnaryOperator<String> languageName) {
    TrustedClasses.register();
    this.config = config;
    this.claims = claims;
    this.languageName = languageName;
    this.keys = new ApiKeys(config.apiKeys());
    this.uploads = new Uploads(config.maxBodyBytes());
  }

  /**
   * Ready to submit when this returns. Once.
   *
   * @throws org.apache.kafka.common.KafkaException if Kafka can't be reached
   */
  public void open(KafkaTarget target) {
    gate = new JobGate(target, config, claims);
  }

  private JobGate gate() {
    JobGate open = gate;
    if (open == null) {
      throw ApiException.of(503, "starting", "the gateway is starting; try again in a moment");
    }
    return open;
  }

  /** Called once, before the server starts. */
  public void addTo(JavalinConfig c) {
    c.routes.before("/v1/*", this::guard);
    c.routes.exception(ApiException.class, (e, ctx) -> answer(ctx, e));
    c.routes.get("/v1/models", ctx -> send(ctx, Answers.json(models())));
    c.routes.get("/v1/models/{id}", this::model);
    c.routes.get("/v1/jobs/{id}", explained(this::job));
    c.routes.post("/v1/audio/transcriptions", explained(ctx -> transcribe(ctx, Task.TRANSCRIBE)));
    c.routes.post("/v1/audio/translations", explained(ctx -> transcribe(ctx, Task.TRANSLATE)));
    for (HandlerType method : List.of(HandlerType.GET, HandlerType.POST, HandlerType.DELETE)) {
      c.routes.addHttpHandler(method, "/v1/*", GatewayRoutes::unknown);
    }
  }

  private void guard(Context ctx) {
    keys.check(ctx.header("Authorization"));
    // Without keys a page on the web could make its visitors' browsers work for it.
    if (isForAll() && "cross-site".equals(ctx.header("Sec-Fetch-Site"))) {
      throw ApiException.of(
          403,
          "cross_site",
          "the web page of another site may not use this gateway; let that site's server ask it");
    }
  }

  private static void unknown(Context ctx) {
    throw ApiException.of(
        404,
        "unknown_url",
        "unknown request URL: %s %s; there are POST /v1/audio/transcriptions and"
                .formatted(ctx.method(), ctx.path())
            + " /v1/audio/translations, GET /v1/models and /v1/jobs/ID");
  }

  /** Whatever goes wrong is answered in OpenAI's form, whoever's server this is. */
  private static Handler explained(Handler handler) {
    return ctx -> {
      try {
        handler.handle(ctx);
      } catch (IOException | RuntimeException e) {
        throw explain(e);
      }
    };
  }

  /** Whether no API key is asked for. */
  boolean isForAll() {
    return config.apiKeys().isEmpty();
  }

  /** Whether requests are taken. */
  boolean isOpen() {
    return gate != null;
  }

  /** Requests that wait for their transcripts. */
  public int waiting() {
    JobGate open = gate;
    return open == null ? 0 : open.waiting();
  }

  private static Map<String, Object> models() {
    return Map.of(
        "object",
        "list",
        "data",
        TranscriptionForm.MODELS.stream().map(GatewayRoutes::model).toList());
  }

  private static Map<String, Object> model(String id) {
    return Map.of("id", id, "object", "model", "created", CREATED, "owned_by", "amanuensis");
  }

  private void model(Context ctx) {
    String id = ctx.pathParam("id");
    if (!TranscriptionForm.MODELS.contains(id)) {
      throw ApiException.of(404, "model_not_found", "there is no model '%s'".formatted(id));
    }
    send(ctx, Answers.json(model(id)));
  }

  private void job(Context ctx) {
    UUID id;
    try {
      id = UUID.fromString(ctx.pathParam("id"));
    } catch (IllegalArgumentException e) {
      throw ApiException.of(404, "job_not_found", "job ids are UUIDs");
    }
    if (id.version() != 7) {
      throw ApiException.of(
          404,
          "job_not_found",
          "results are found by the time in their job's id, and '%s' has none: only ids that the"
                  .formatted(id)
              + " gateway or submit made, UUIDs of version 7, can be looked up");
    }
    if (gate().isWaiting(id.toString())) {
      ctx.status(202);
      send(ctx, Answers.json(Map.of("id", id.toString(), "status", "in_progress")));
      return;
    }
    Transcript transcript = gate().find(id);
    if (transcript == null) {
      throw ApiException.of(
          404,
          "job_not_found",
          "there is no result of job %s: it is still worked on, or was never submitted"
              .formatted(id));
    }
    send(ctx, Answers.jobs(transcript, languageName));
  }

  private void transcribe(Context ctx, Task task) throws IOException {
    Uploads.Form form = uploads.receive(ctx, this::gate);
    TranscriptionForm request = TranscriptionForm.of(task, form.fields(), ctx.header("X-Job-Id"));
    Part file = form.file();
    if (file == null || file.getSize() == 0) {
      throw ApiException.invalid("file", "the field file is missing, or has no bytes");
    }
    AudioJob job = request.job(name(file), file.getContentType());
    ctx.header("X-Job-Id", request.jobId());
    if (request.stream()) {
      stream(ctx, job, file);
      return;
    }
    CompletableFuture<Transcript> result = submit(job, file, null);
    ctx.future(
        () ->
            result.handle(
                (transcript, failure) -> {
                  answer(ctx, request, transcript, failure);
                  return null;
                }));
  }

  private CompletableFuture<Transcript> submit(AudioJob job, Part file, EventStream events)
      throws IOException {
    try {
      return gate()
          .submit(
              job,
              file::getInputStream,
              file.getSize(),
              events == null ? null : events::progressed);
    } finally {
      file.delete();
    }
  }

  private void stream(Context ctx, AudioJob job, Part file) throws IOException {
    ctx.contentType("text/event-stream; charset=utf-8")
        .header("Cache-Control", "no-cache")
        .header("X-Accel-Buffering", "no");
    EventStream events = new EventStream(ctx.res().getOutputStream(), gate().answers());
    CompletableFuture<Transcript> result = submit(job, file, events);
    ctx.res().flushBuffer(); // the client sees at once that it is under way
    events.start();
    result.whenComplete(
        (transcript, failure) -> {
          if (failure == null) {
            events.done(transcript);
          } else {
            events.failed(explain(failure));
          }
        });
    ctx.future(events::ended);
  }

  private void answer(
      Context ctx, TranscriptionForm request, Transcript transcript, Throwable failure) {
    try {
      if (failure != null) {
        throw explain(failure);
      }
      send(ctx, Answers.of(transcript, request, languageName));
    } catch (ApiException e) {
      answer(ctx, e);
    }
  }

  private static ApiException explain(Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    if (cause instanceof ApiException e) {
      return e;
    }
    LOG.error("a request failed", cause);
    return ApiException.of(500, "internal", "a defect of the gateway; its log has the cause");
  }

  private static void send(Context ctx, Answers.Answer answer) {
    ctx.contentType(answer.contentType()).result(answer.body());
  }

  static void answer(Context ctx, ApiException e) {
    ctx.status(e.status());
    if (e.status() == 429 || e.status() == 503) {
      ctx.header("Retry-After", Integer.toString(RETRY_SECONDS));
    }
    if (e.isLast()) {
      ctx.header("x-should-retry", "false"); // OpenAI's clients obey it
    }
    send(ctx, Answers.json(e.body()));
    ctx.skipRemainingHandlers();
  }

  private static String name(Part file) {
    String name = file.getSubmittedFileName();
    return name == null || name.isBlank() ? "audio" : name;
  }

  /**
   * Tells those who wait that the gateway ends, and refuses what comes later. To be called while
   * the server still serves; returns when the answers are written.
   */
  public void stop() {
    JobGate open = gate;
    if (open != null) {
      open.stop();
    }
  }

  @Override
  public void close() {
    JobGate open = gate;
    if (open != null) {
      open.close();
    }
    if (claims != null) {
      claims.close();
    }
  }
}
