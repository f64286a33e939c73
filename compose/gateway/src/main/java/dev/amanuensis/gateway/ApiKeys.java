package dev.amanuensis.gateway;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;

/** The keys of which a request must carry one, as {@code Authorization: Bearer KEY}. */
final class ApiKeys {
  private static final String BEARER = "Bearer ";

  private final List<byte[]> keys;

  ApiKeys(List<String> keys) {
    this.keys = keys.stream().map(k -> k.getBytes(StandardCharsets.UTF_8)).toList();
  }

  /**
   * @param authorization header, or null
   * @throws ApiException 401
   */
  void check(String authorization) {
    if (keys.isEmpty()) {
      return;
    }
    if (authorization == null || !authorization.startsWith(BEARER)) {
      throw ApiException.of(
          401, "missing_api_key", "an API key is needed: Authorization: Bearer KEY");
    }
    byte[] given =
        authorization.substring(BEARER.length()).strip().getBytes(StandardCharsets.UTF_8);
    boolean known = false;
    for (byte[] key : keys) {
      known |= MessageDigest.isEqual(key, given); // all of them, each in constant time
    }
    if (!known) {
      throw ApiException.of(401, "invalid_api_key", "this API key is not known here");
    }
  }
}
