package dev.amanuensis.gateway;

import io.javalin.http.Context;
import jakarta.servlet.MultipartConfigElement;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.Part;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;

/** Receives the forms of requests within bounds of size and number. Thread-safe. */
final class Uploads {
  /** Bodies that are read at once: slow ones must not take all of a server's threads. */
  static final int MAX_UPLOADS = 24;

  private static final String MULTIPART = "org.eclipse.jetty.multipartConfig";
  private static final int MEMORY_BYTES = 1 << 20;
  private static final int MAX_FIELD_BYTES = 64 << 10;

  /** Of a body that is refused so much is read, for so long. */
  private static final long SKIPPED_BYTES = 256L << 20;

  private static final long SKIPPED_NANOS = Duration.ofSeconds(10).toNanos();

  private final Semaphore permits = new Semaphore(MAX_UPLOADS);
  private final long maxBytes;

  /** The parts of a request: text fields by name, and the file, or null. */
  record Form(Map<String, List<String>> fields, Part file) {}

  /**
   * @param maxBytes of a request's body
   */
  Uploads(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  /**
   * Reads a request's body.
   *
   * @param ready throws an ApiException where there is no use for one now
   * @throws ApiException 413, 429, or 400 for what is no form
   */
  Form receive(Context ctx, Runnable ready) throws IOException {
    if (!permits.tryAcquire()) {
      ctx.header("Connection", "close"); // its body is not read
      throw ApiException.busy("%d requests are being received already".formatted(MAX_UPLOADS));
    }
    // Who asks first (RFC 9110, 10.1.1) has sent nothing, and reading would be the leave to.
    boolean comes = !"100-continue".equalsIgnoreCase(ctx.header("Expect"));
    try {
      if (ctx.req().getContentLengthLong() > maxBytes) {
        throw tooLarge();
      }
      ready.run();
      comes = true;
      return form(ctx);
    } catch (ApiException e) {
      // Unread bytes must not be taken for the next request.
      ctx.header("Connection", "close");
      if (comes) {
        skip(ctx);
      }
      throw e;
    } finally {
      permits.release();
    }
  }

  /** Most clients read no answer before they have sent all: a closed connection is all they see. */
  private static void skip(Context ctx) {
    byte[] block = new byte[64 << 10];
    long until = System.nanoTime() + SKIPPED_NANOS;
    try {
      InputStream body = ctx.req().getInputStream();
      long skipped = 0;
      int n = 0;
      while (n >= 0 && skipped < SKIPPED_BYTES && System.nanoTime() - until < 0) {
        n = body.read(block);
        skipped += n;
      }
    } catch (IOException | IllegalStateException e) {
      // it has gone, or its body was read
    }
  }

  private Form form(Context ctx) throws IOException {
    String type = ctx.contentType();
    if (type == null || !type.startsWith("multipart/form-data")) {
      throw ApiException.invalid(null, "the request must be multipart/form-data with a file");
    }
    ctx.req()
        .setAttribute(
            MULTIPART,
            new MultipartConfigElement(
                System.getProperty("java.io.tmpdir"), maxBytes, maxBytes, MEMORY_BYTES));
    Map<String, List<String>> fields = new HashMap<>();
    Part file = null;
    try {
      for (Part part : ctx.req().getParts()) {
        if (part.getName().equals("file")) {
          file = part;
        } else {
          fields.computeIfAbsent(part.getName(), n -> new ArrayList<>()).add(text(part));
        }
      }
    } catch (ServletException | IllegalStateException | IOException e) {
      throw malformed(e);
    }
    return new Form(fields, file);
  }

  private RuntimeException malformed(Exception e) {
    for (Throwable t = e; t != null; t = t.getCause()) {
      String message = String.valueOf(t.getMessage());
      if (message.contains("max length exceeded")
          || message.contains("too large")
          || message.contains("exceeds")) {
        return tooLarge();
      }
    }
    return ApiException.invalid(
        null, "the form can't be read; it must be multipart/form-data with its boundary");
  }

  private ApiException tooLarge() {
    return ApiException.of(
        413, "file_too_large", "the request is larger than %,d bytes".formatted(maxBytes));
  }

  private static String text(Part part) throws IOException {
    try (InputStream in = part.getInputStream()) {
      byte[] bytes = in.readNBytes(MAX_FIELD_BYTES + 1);
      if (bytes.length > MAX_FIELD_BYTES) {
        throw ApiException.invalid(
            part.getName(),
            "the field is longer than %,d bytes; audio goes into the field file"
                .formatted(MAX_FIELD_BYTES));
      }
      return new String(bytes, StandardCharsets.UTF_8);
    } finally {
      part.delete();
    }
  }
}
