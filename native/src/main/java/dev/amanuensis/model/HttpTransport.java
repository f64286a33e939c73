package dev.amanuensis.model;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLDecoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** GET over HTTP(S) with redirects, proxies and a limit on the time to the first response. */
final class HttpTransport implements AutoCloseable {
  private final HttpClient client;
  private final ExecutorService threads;
  private final Duration firstResponse;

  /**
   * @param environment for the proxy variables (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY)
   * @param firstResponse most time until the headers of a response are there, name lookup included
   */
  HttpTransport(Map<String, String> environment, Duration firstResponse) {
    this.firstResponse = firstResponse;
    this.threads =
        Executors.newCachedThreadPool(
            task -> {
              Thread thread = new Thread(task, "model-fetch");
              thread.setDaemon(true);
              return thread;
            });
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NORMAL)
            .connectTimeout(firstResponse)
            .proxy(new EnvironmentProxySelector(environment))
            .executor(threads)
            .build();
  }

  /** The caller closes the body. Any status is returned as it is. */
  HttpResponse<InputStream> get(URI uri, Map<String, String> headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(withoutUserInfo(uri)).header("User-Agent", "amanuensis");
    headers.forEach(request::header);
    if (uri.getRawUserInfo() != null) {
      request.header("Authorization", basic(uri.getRawUserInfo()));
    }
    // Name lookup blocks, and no timeout of the client covers it: hence a thread and a deadline.
    CompletableFuture<HttpResponse<InputStream>> response =
        CompletableFuture.supplyAsync(
                () -> client.sendAsync(request.build(), HttpResponse.BodyHandlers.ofInputStream()),
                threads)
            .thenCompose(future -> future);
    try {
      return response.get(firstResponse.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      response.cancel(true);
      throw new IOException(
          uri.getHost() + " did not answer within " + firstResponse.toMillis() + " ms", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException io) {
        throw new IOException(describe(uri, io), io);
      }
      throw new IOException("request to " + uri.getHost() + " failed: " + e.getCause(), e);
    }
  }

  private static String describe(URI uri, IOException cause) {
    String detail = cause.getMessage() == null ? "" : ": " + cause.getMessage();
    return "no connection to "
        + uri.getHost()
        + " ("
        + cause.getClass().getSimpleName()
        + detail
        + ")";
  }

  private static String basic(String rawUserInfo) {
    String userInfo = URLDecoder.decode(rawUserInfo.replace("+", "%2B"), StandardCharsets.UTF_8);
    return "Basic " + Base64.getEncoder().encodeToString(userInfo.getBytes(StandardCharsets.UTF_8));
  }

  private static URI withoutUserInfo(URI uri) {
    if (uri.getRawUserInfo() == null) {
      return uri;
    }
    return URI.create(
        uri.toString().replaceFirst(java.util.regex.Pattern.quote(uri.getRawUserInfo() + "@"), ""));
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
