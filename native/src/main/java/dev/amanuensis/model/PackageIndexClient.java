package dev.amanuensis.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.amanuensis.model.ModelException.Code;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Downloads pure Python wheels from a package index by the "simple" interface (PEP 503 in HTML, PEP
 * 691 in JSON), for machines without pip. PIP_INDEX_URL is honoured.
 */
final class PackageIndexClient implements AutoCloseable {
  private static final String DEFAULT_INDEX = "https://pypi.org/simple";
  private static final String ACCEPT =
      "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2,"
          + " text/html;q=0.1";
  private static final Pattern LINK = Pattern.compile("<a\\s[^>]*href=[\"']([^\"']+)[\"']");
  private static final Pattern SHA256 = Pattern.compile("sha256=([0-9a-f]{64})");
  private static final int MAX_PAGE = 4 << 20;
  private static final ObjectMapper JSON = new ObjectMapper();

  private record Link(URI uri, String sha256) {}

  private final URI index;
  private final HttpTransport transport;

  PackageIndexClient(Map<String, String> environment) {
    String configured = environment.getOrDefault("PIP_INDEX_URL", "").strip();
    String base = configured.isEmpty() ? DEFAULT_INDEX : configured;
    this.index = URI.create(base.endsWith("/") ? base : base + "/");
    this.transport = new HttpTransport(environment, Duration.ofSeconds(15));
  }

  /** The wheel of exactly this version, as the index's own hash says. */
  Path download(String name, String version, Path directory, FetchProgress progress)
      throws ModelException {
    String file = name.replace('-', '_') + "-" + version + "-py3-none-any.whl";
    Link link = find(name, file);
    Path target = directory.resolve(file);
    new HttpDownload(transport, progress)
        .fetch(link.uri(), target, new Artifact(file, -1, link.sha256()));
    return target;
  }

  private Link find(String name, String file) throws ModelException {
    URI page = index.resolve(name + "/");
    try {
      HttpResponse<InputStream> response = transport.get(page, Map.of("Accept", ACCEPT));
      String text;
      try (InputStream body = response.body()) {
        text = new String(body.readNBytes(MAX_PAGE), StandardCharsets.UTF_8);
      }
      if (response.statusCode() != 200) {
        throw new ModelException(
            Code.UNREACHABLE,
            page.getHost() + " answered " + response.statusCode() + " for " + page.getPath());
      }
      String type = response.headers().firstValue("Content-Type").orElse("");
      Link link =
          type.contains("json")
              ? inJson(JSON.readTree(text), file, page)
              : inHtml(text, file, page);
      if (link == null) {
        throw new ModelException(Code.UNREACHABLE, page.getHost() + " has no file " + file);
      }
      return link;
    } catch (InterruptedException e) {
      throw ModelException.interrupted("asking the package index");
    } catch (IOException e) {
      throw ModelException.of("can't ask the package index for " + name, e);
    }
  }

  private Link inJson(JsonNode root, String file, URI page) {
    for (JsonNode entry : root.path("files")) {
      if (entry.path("filename").asText().equals(file)) {
        String hash = entry.path("hashes").path("sha256").asText(null);
        return new Link(resolve(page, entry.path("url").asText()), hash);
      }
    }
    return null;
  }

  private Link inHtml(String text, String file, URI page) {
    Matcher link = LINK.matcher(text);
    while (link.find()) {
      String href = link.group(1).replace("&amp;", "&");
      URI uri = resolve(page, href);
      if (uri.getPath().endsWith("/" + file)) {
        Matcher hash = SHA256.matcher(href);
        return new Link(uri, hash.find() ? hash.group(1) : null);
      }
    }
    return null;
  }

  /** Credentials of the index go to the files on its own host, and to no other. */
  private URI resolve(URI page, String href) {
    URI uri = page.resolve(href);
    if (page.getRawUserInfo() != null
        && uri.getRawUserInfo() == null
        && page.getHost().equals(uri.getHost())) {
      return URI.create(
          uri.toString()
              .replaceFirst("://", "://" + Matcher.quoteReplacement(page.getRawUserInfo()) + "@"));
    }
    return uri;
  }

  @Override
  public void close() {
    transport.close();
  }
}
