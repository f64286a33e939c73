package dev.amanuensis.cli.kafka;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;

/** Asks the cluster and the registry whether they are there, so that a command can say it soon. */
public final class ConnectionCheck {
  private ConnectionCheck() {}

  /**
   * @throws CliException UNREACHABLE with what to do about it
   */
  public static void run(KafkaTarget target, Duration timeout)
      throws CliException, InterruptedException {
    checkKafka(target, timeout);
    checkRegistry(target, timeout);
  }

  private static void checkKafka(KafkaTarget target, Duration timeout)
      throws CliException, InterruptedException {
    int millis = (int) timeout.toMillis();
    Map<String, Object> configuration = target.commonConfiguration();
    configuration.put("request.timeout.ms", millis);
    configuration.put("default.api.timeout.ms", millis);
    try (Admin admin = Admin.create(configuration)) {
      try {
        admin
            .describeTopics(List.of(target.jobsTopic(), target.transcriptsTopic()))
            .allTopicNames()
            .get();
      } finally {
        admin.close(Duration.ZERO);
      }
    } catch (ExecutionException e) {
      throw KafkaFailures.explain(e.getCause(), target, timeout);
    } catch (KafkaException e) {
      throw KafkaFailures.explain(e, target, timeout);
    }
  }

  private static void checkRegistry(KafkaTarget target, Duration timeout)
      throws CliException, InterruptedException {
    String url = target.registryUrl().split(",", 2)[0].replaceAll("/+$", "");
    try {
      HttpClient client = HttpClient.newBuilder().connectTimeout(timeout).build();
      HttpRequest request =
          HttpRequest.newBuilder(URI.create(url + "/subjects")).timeout(timeout).build();
      int code = client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
      // 401 and 403 come from a registry too: credentials are the serializer's business.
      if (code != 200 && code != 401 && code != 403) {
        throw unreachable(url, "it answers /subjects with HTTP status " + code, null);
      }
    } catch (IOException e) {
      String reason = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
      throw unreachable(url, reason, e);
    } catch (IllegalArgumentException e) {
      throw new CliException(
          ExitCodes.USAGE, "--schema-registry: '" + url + "' is not a URL: " + e.getMessage(), e);
    }
  }

  private static CliException unreachable(String url, String reason, Exception cause) {
    return new CliException(
        ExitCodes.UNREACHABLE,
        "can't reach the Schema Registry at "
            + url
            + ": "
            + reason
            + "; check --schema-registry, or start everything with 'amanuensis standalone'",
        cause);
  }
}
