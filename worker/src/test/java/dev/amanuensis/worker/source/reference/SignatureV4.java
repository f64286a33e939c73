package dev.amanuensis.worker.source.reference;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Checks AWS Signature Version 4 as the storage would, for requests without a query. */
final class SignatureV4 {
  private static final Pattern AUTHORIZATION =
      Pattern.compile(
          "AWS4-HMAC-SHA256 Credential=([^/]+)/((\\d+)/([^/]+)/s3/aws4_request),"
              + " SignedHeaders=([^,]+), Signature=([0-9a-f]{64})");

  private SignatureV4() {}

  static boolean isSignedBy(HttpExchange exchange, String keyId, String secret) {
    Headers headers = exchange.getRequestHeaders();
    String value = headers.getFirst("Authorization");
    Matcher m = AUTHORIZATION.matcher(value == null ? "" : value);
    if (!m.matches() || !m.group(1).equals(keyId)) {
      return false;
    }
    StringBuilder canonical = new StringBuilder();
    canonical.append(exchange.getRequestMethod()).append('\n');
    canonical.append(exchange.getRequestURI().getRawPath()).append("\n\n");
    for (String name : m.group(5).split(";")) {
      canonical.append(name).append(':').append(headers.getFirst(name).strip()).append('\n');
    }
    canonical.append('\n').append(m.group(5)).append('\n');
    canonical.append(headers.getFirst("x-amz-content-sha256"));
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256")
              .digest(canonical.toString().getBytes(StandardCharsets.UTF_8));
      String toSign =
          "AWS4-HMAC-SHA256\n"
              + headers.getFirst("x-amz-date")
              + "\n"
              + m.group(2)
              + "\n"
              + HexFormat.of().formatHex(hash);
      byte[] key = ("AWS4" + secret).getBytes(StandardCharsets.UTF_8);
      for (String part : new String[] {m.group(3), m.group(4), "s3", "aws4_request"}) {
        key = hmac(key, part);
      }
      return HexFormat.of().formatHex(hmac(key, toSign)).equals(m.group(6));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static byte[] hmac(byte[] key, String text) throws GeneralSecurityException {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
  }
}
