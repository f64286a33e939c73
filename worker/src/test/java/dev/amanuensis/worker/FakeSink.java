package dev.amanuensis.worker;

import dev.amanuensis.worker.job.AdmittedJob;
import dev.amanuensis.worker.job.AudioSource;
import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobListener;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.JobSink;
import dev.amanuensis.worker.job.Progress;
import dev.amanuensis.worker.job.Segment;
import dev.amanuensis.worker.job.TranscriptionResult;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Stands for the pipeline where the protocol is tested: the audio is a script of one word and a
 * number. {@code sleep N} takes N ms; {@code fail N} has no source N times, then succeeds; {@code
 * crash} ends the process as a segmentation fault would; {@code big N} has a text of N characters;
 * {@code windows N} has N windows of 100 ms each.
 */
final class FakeSink implements JobSink, AutoCloseable {
  private final int maxJobs;
  private final AtomicInteger inFlight = new AtomicInteger();
  private final Map<String, AtomicInteger> tries = new ConcurrentHashMap<>();
  private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(2);

  /** Ids of the jobs in the order in which they were admitted. */
  final Queue<String> admitted = new ConcurrentLinkedQueue<>();

  FakeSink(int maxJobs) {
    this.maxJobs = maxJobs;
  }

  @Override
  public AdmittedJob tryAdmit(Job job, Progress from, JobListener listener) {
    if (inFlight.incrementAndGet() > maxJobs) {
      inFlight.decrementAndGet();
      return null;
    }
    admitted.add(job.id());
    Run run = new Run(job, listener);
    String[] script = script(job);
    long n = script.length > 1 ? Long.parseLong(script[1]) : 0;
    switch (script[0]) {
      case "sleep" -> run.after(n, () -> run.complete("done " + job.id(), List.of()));
      case "big" -> run.after(1, () -> run.complete(letters((int) n), List.of()));
      case "crash" -> run.after(50, () -> Runtime.getRuntime().halt(139));
      case "fail" -> run.after(1, () -> run.failOrComplete(n));
      case "windows" -> {
        List<Segment> before = from == null ? List.of() : from.segments();
        run.after(100, () -> run.window(n, before, before.size()));
      }
      default -> run.after(1, () -> run.fail(ErrorCode.AUDIO_UNREADABLE, "not audio"));
    }
    return run;
  }

  /** Which hardly compress. */
  private static String letters(int n) {
    Random random = new Random(n);
    StringBuilder text = new StringBuilder();
    while (text.length() < n) {
      text.append((char) ('a' + random.nextInt(26)));
    }
    return text.toString();
  }

  private static String[] script(Job job) {
    byte[] bytes = new byte[((AudioSource.Inline) job.source()).bytes().remaining()];
    ((AudioSource.Inline) job.source()).bytes().duplicate().get(bytes);
    return new String(bytes, StandardCharsets.UTF_8).split(" ");
  }

  @Override
  public int inFlight() {
    return inFlight.get();
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }

  private final class Run implements AdmittedJob {
    private final Job job;
    private final JobListener listener;
    private final AtomicBoolean ended = new AtomicBoolean();

    Run(Job job, JobListener listener) {
      this.job = job;
      this.listener = listener;
    }

    @Override
    public boolean atWork() {
      return script(job)[0].equals("crash");
    }

    void after(long millis, Runnable what) {
      timer.schedule(what, millis, TimeUnit.MILLISECONDS);
    }

    void complete(String text, List<Segment> segments) {
      end(
          JobResult.Status.COMPLETED,
          new TranscriptionResult(text, "en", 1, 1, segments),
          null,
          null);
    }

    void fail(ErrorCode code, String message) {
      end(JobResult.Status.FAILED, null, code, message);
    }

    void failOrComplete(long times) {
      int n = tries.computeIfAbsent(job.id(), id -> new AtomicInteger()).incrementAndGet();
      if (n <= times) {
        fail(ErrorCode.SOURCE_UNAVAILABLE, "try " + n);
      } else {
        complete("try " + n, List.of());
      }
    }

    void window(long all, List<Segment> before, int found) {
      List<Segment> segments = new ArrayList<>(before);
      int id = segments.size();
      segments.add(
          new Segment(
              id,
              3000L * id,
              30 * id,
              30 * id + 30,
              " w" + id,
              List.of(id),
              0,
              -0.1,
              1,
              0,
              List.of()));
      if (segments.size() >= all) {
        complete("%d windows, %d found".formatted(segments.size(), found), segments);
      } else if (!ended.get()) {
        listener.progressed(
            new Progress(segments, "en", 1, 3000L * segments.size(), 3000 * all, 0, 0, 0, "sha"));
        after(100, () -> window(all, segments, found));
      }
    }

    @Override
    public void cancel() {
      end(JobResult.Status.CANCELLED, null, ErrorCode.CANCELLED, "cancelled");
    }

    private void end(JobResult.Status s, TranscriptionResult t, ErrorCode code, String message) {
      if (ended.compareAndSet(false, true)) {
        inFlight.decrementAndGet();
        listener.done(new JobResult(job, s, t, null, code, message, Map.of("total", 1.0)));
      }
    }
  }
}
