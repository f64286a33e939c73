package dev.amanuensis.worker.admin;

import io.javalin.http.Context;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The page at /: one file without anything from elsewhere. Its policy lets the browser run the
 * page's own script and style, known by their hashes, and nothing else.
 */
final class OpsPage {
  private static final String RESOURCE = "ops.html";
  private static final Pattern STYLE = Pattern.compile("<style>(.*?)</style>", Pattern.DOTALL);
  private static final Pattern SCRIPT = Pattern.compile("<script>(.*?)</script>", Pattern.DOTALL);

  private final byte[] html;
  private final String policy;

  private OpsPage(String html) {
    this.html = html.getBytes(StandardCharsets.UTF_8);
    this.policy =
        "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none';"
            + " form-action 'none'; frame-ancestors 'none'; style-src %s; script-src %s"
                .formatted(hash(STYLE, html), hash(SCRIPT, html));
  }

  static OpsPage load() {
    try (InputStream in = OpsPage.class.getResourceAsStream(RESOURCE)) {
      return new OpsPage(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void serve(Context ctx) {
    ctx.header("Content-Security-Policy", policy)
        .contentType("text/html; charset=utf-8")
        .result(html);
  }

  private static String hash(Pattern element, String html) {
    Matcher m = element.matcher(html);
    if (!m.find()) {
      throw new IllegalStateException(RESOURCE + " lacks " + element);
    }
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(m.group(1).getBytes(StandardCharsets.UTF_8));
      return "'sha256-" + Base64.getEncoder().encodeToString(digest) + "'";
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every JDK has it
    }
  }
}
