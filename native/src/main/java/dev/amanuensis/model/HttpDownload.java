package dev.amanuensis.model;

import dev.amanuensis.model.ModelException.Code;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * Downloads one file: to NAME.part, resumed with a range request where it was cut (by this process
 * or by an earlier one), verified, renamed.
 */
final class HttpDownload {
  private static final int ATTEMPTS_WITHOUT_PROGRESS = 3;
  private static final long STALL_SECONDS = 30;
  private static final int BLOCK = 1 << 16;

  private final HttpTransport transport;
  private final FetchProgress progress;

  HttpDownload(HttpTransport transport, FetchProgress progress) {
    this.transport = transport;
    this.progress = progress;
  }

  /**
   * Afterwards target is the artifact. A partial file stays for the next try, a wrong one never.
   */
  void fetch(URI uri, Path target, Artifact artifact) throws ModelException {
    Path part = target.resolveSibling(target.getFileName() + ".part");
    try {
      receiveAll(uri, part, artifact);
      artifact.verifyOrDelete(part);
      FileTrees.replace(part, target);
    } catch (InterruptedException e) {
      throw ModelException.interrupted("download of " + artifact.name());
    } catch (IOException e) {
      throw ModelException.of("can't download " + artifact.name(), e);
    }
  }

  private void receiveAll(URI uri, Path part, Artifact artifact)
      throws IOException, InterruptedException {
    int failures = 0;
    while (true) {
      long before = sizeOf(part);
      try {
        if (receive(uri, part, artifact, before)) {
          return;
        }
        throw new IOException("the connection ended early");
      } catch (ModelException e) {
        throw e;
      } catch (IOException e) {
        if (ModelException.of("", e).code() == Code.NO_SPACE) {
          throw e;
        }
        failures = sizeOf(part) > before ? 1 : failures + 1;
        // Before the first byte there is nothing to save by insisting: another source may be up.
        if (failures >= ATTEMPTS_WITHOUT_PROGRESS || sizeOf(part) == 0) {
          throw e;
        }
        progress.note(
            artifact.name()
                + ": cut at "
                + sizeOf(part)
                + " bytes ("
                + e.getMessage()
                + "), going on from there");
        Thread.sleep(200L * failures);
      }
    }
  }

  /** One request. True when the file is complete as far as the server says. */
  private boolean receive(URI uri, Path part, Artifact artifact, long have)
      throws IOException, InterruptedException {
    if (artifact.size() >= 0 && have == artifact.size()) {
      return true;
    }
    Map<String, String> headers = have > 0 ? Map.of("Range", "bytes=" + have + "-") : Map.of();
    HttpResponse<InputStream> response = transport.get(uri, headers);
    try (InputStream body = response.body()) {
      int status = response.statusCode();
      boolean resumed = status == 206 && startsAt(response, have);
      if (status == 416 || status == 206 && !resumed) {
        Files.delete(part); // not a part of what the server has: start again
        throw new IOException("the server can't resume");
      }
      if (status != 200 && !resumed) {
        throw new ModelException(
            Code.UNREACHABLE, uri.getHost() + " answered " + status + " for " + uri.getPath());
      }
      long start = resumed ? have : 0;
      long length = response.headers().firstValueAsLong("Content-Length").orElse(-1);
      long total = length >= 0 ? start + length : -1;
      if (artifact.size() >= 0 && total >= 0 && total != artifact.size()) {
        Files.deleteIfExists(part);
        throw new ModelException(
            Code.CORRUPT,
            artifact.name()
                + " has "
                + total
                + " bytes at "
                + uri.getHost()
                + " instead of "
                + artifact.size());
      }
      long end = copy(body, part, resumed, start, artifact, total);
      return total < 0 || end == total;
    }
  }

  private long copy(
      InputStream body, Path part, boolean append, long start, Artifact artifact, long total)
      throws IOException {
    long limit = artifact.size() >= 0 ? artifact.size() : Long.MAX_VALUE;
    long shownTotal = artifact.size() >= 0 ? artifact.size() : total;
    long done = start;
    byte[] block = new byte[BLOCK];
    try (StallGuard guard = new StallGuard(body);
        OutputStream out =
            Files.newOutputStream(
                part,
                StandardOpenOption.CREATE,
                append ? StandardOpenOption.APPEND : StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE)) {
      for (int n = body.read(block); n >= 0; n = body.read(block)) {
        guard.alive();
        if (done + n > limit) {
          throw new IOException("more bytes than the " + limit + " expected");
        }
        out.write(block, 0, n);
        done += n;
        progress.bytes(artifact.name(), done, shownTotal);
      }
    }
    return done;
  }

  private static boolean startsAt(HttpResponse<?> response, long offset) {
    String range = response.headers().firstValue("Content-Range").orElse("");
    return range.startsWith("bytes " + offset + "-");
  }

  private static long sizeOf(Path file) throws IOException {
    return Files.exists(file) ? Files.size(file) : 0;
  }

  /** Closes the stream when nothing has arrived for a while; the reader then gets an exception. */
  private static final class StallGuard implements AutoCloseable {
    private final ScheduledExecutorService timer =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "model-fetch-stall");
              thread.setDaemon(true);
              return thread;
            });
    private final ScheduledFuture<?> check;
    private volatile long last = System.nanoTime();

    StallGuard(InputStream body) {
      check =
          timer.scheduleWithFixedDelay(
              () -> {
                if (System.nanoTime() - last > TimeUnit.SECONDS.toNanos(STALL_SECONDS)) {
                  try {
                    body.close();
                  } catch (IOException e) {
                    // Closing is all that is wanted of it.
                  }
                }
              },
              1,
              1,
              TimeUnit.SECONDS);
    }

    void alive() {
      last = System.nanoTime();
    }

    @Override
    public void close() {
      check.cancel(false);
      timer.shutdownNow();
    }
  }
}
