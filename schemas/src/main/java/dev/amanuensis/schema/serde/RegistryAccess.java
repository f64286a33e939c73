package dev.amanuensis.schema.serde;

import io.confluent.kafka.schemaregistry.client.SchemaRegistryClientConfig;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Takes a user and a password out of the registry's URL into settings of their own: its client puts
 * the URL into messages.
 */
final class RegistryAccess {
  private static final String SOURCE = SchemaRegistryClientConfig.BASIC_AUTH_CREDENTIALS_SOURCE;

  private RegistryAccess() {}

  /** The same configuration, the URL without credentials; theirs win that are set explicitly. */
  static Map<String, Object> of(Map<String, ?> config) {
    Map<String, Object> all = new HashMap<>(config);
    Object urls = all.get(AvroSerdes.REGISTRY_URL);
    if (!(urls instanceof String text) || !text.contains("@")) {
      return all;
    }
    List<URI> uris;
    try {
      uris = Arrays.stream(text.split(",")).map(String::strip).map(URI::create).toList();
    } catch (IllegalArgumentException e) {
      return all; // whoever opens it says what is wrong
    }
    List<String> users = uris.stream().map(URI::getUserInfo).distinct().toList();
    if (users.size() != 1 || users.get(0) == null) {
      return all; // each its own: only the URLs can say that
    }
    all.put(
        AvroSerdes.REGISTRY_URL,
        String.join(",", uris.stream().map(RegistryAccess::withoutUser).toList()));
    if (config.get(SOURCE) == null || config.get(SOURCE).equals("URL")) {
      all.put(SOURCE, "USER_INFO");
      all.put(SchemaRegistryClientConfig.USER_INFO_CONFIG, users.get(0));
    }
    return all;
  }

  private static String withoutUser(URI uri) {
    try {
      return new URI(
              uri.getScheme(),
              null,
              uri.getHost(),
              uri.getPort(),
              uri.getPath(),
              uri.getQuery(),
              uri.getFragment())
          .toString();
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException("a part of a URI makes none: " + e.getReason());
    }
  }
}
