package dev.amanuensis.gateway;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.FileFailures;
import dev.amanuensis.cli.command.ConnectionOptions;
import dev.amanuensis.cli.command.PortNumber;
import dev.amanuensis.cli.command.PositiveSeconds;
import dev.amanuensis.cli.command.S3Options;
import dev.amanuensis.cli.kafka.ConnectionCheck;
import dev.amanuensis.cli.terminal.Terminal;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** OpenAI's audio API in front of a fleet, until it is told to stop. */
@Command(
    name = "gateway",
    description = {
      "Serve OpenAI's audio API: POST /v1/audio/transcriptions and /v1/audio/translations, GET"
          + " /v1/models, and GET /v1/jobs/ID for results of earlier requests.",
      "Every request is a job in Kafka, so neither a restarted gateway nor a lost worker loses it."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  amanuensis gateway -b kafka:9092 --schema-registry http://registry:8081",
      "  amanuensis gateway --host 0.0.0.0 --claim-dir /srv/claims   (workers: --allow-root"
          + " /srv/claims)",
      "  amanuensis gateway --claim-s3 s3://claims/gateway --s3-endpoint http://objects:7070"
          + " --s3-path-style",
      "  curl http://localhost:9050/v1/audio/transcriptions -F model=whisper-1 -F file=@talk.mp3",
      "",
      "API keys: AMANUENSIS_GATEWAY_API_KEYS, separated by commas; without any, all are let in."
    })
public final class GatewayCommand implements Callable<Integer> {
  /** Not an option: command lines are visible to everybody on the machine. */
  static final String KEYS_VARIABLE = "AMANUENSIS_GATEWAY_API_KEYS";

  private final Terminal terminal;
  private final UnaryOperator<String> languageName;
  private final HostRule hostRule;

  @Mixin private ConnectionOptions connection;

  @Option(
      names = "--host",
      paramLabel = "ADDRESS",
      defaultValue = "127.0.0.1",
      description = "Address to listen on; 0.0.0.0 for all. Default: ${DEFAULT-VALUE}.")
  private String host;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      defaultValue = "9050",
      converter = PortNumber.class,
      description = "0 takes a free one. Default: ${DEFAULT-VALUE}.")
  private int port;

  @Option(
      names = "--allowed-host",
      paramLabel = "NAME",
      split = ",",
      description =
          "Host name, beside localhost, that requests may be addressed to where there are no API"
              + " keys; for a proxy in front. Default: with --host other than the loopback, any.")
  private List<String> allowedHosts = List.of();

  @Option(
      names = "--max-waiting",
      paramLabel = "N",
      defaultValue = "64",
      description = "Requests under way at once; more are answered 429. Default: ${DEFAULT-VALUE}.")
  private int maxWaiting;

  @Option(
      names = "--max-body-mb",
      paramLabel = "N",
      defaultValue = "25",
      description = "Largest request in MiB. Default: ${DEFAULT-VALUE}.")
  private int maxBodyMb;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      defaultValue = "600",
      converter = PositiveSeconds.class,
      description = "Longest time a request waits; its job goes on. Default: ${DEFAULT-VALUE}.")
  private long timeoutSeconds;

  @Option(
      names = "--claim-dir",
      paramLabel = "DIR",
      description =
          "Where audio beyond 1 MB waits for the workers, which must be allowed to read it"
              + " (worker --allow-root DIR). Default: such audio is refused.")
  private Path claimDirectory;

  @Option(
      names = "--claim-s3",
      paramLabel = "s3://BUCKET/PREFIX",
      description = {
        "The same in S3-compatible storage, below a prefix that nobody else uses; workers:"
            + " --set source.s3.buckets=BUCKET. Credentials: AWS's standard chain."
      })
  private URI claimPlace;

  @Mixin private S3Options s3;

  /** Which Host headers mean a server that listens on an address and has further names. */
  @FunctionalInterface
  public interface HostRule {
    Predicate<String> of(String address, Collection<String> names);
  }

  /**
   * @param languageName Whisper's English name for a code
   */
  public GatewayCommand(Terminal terminal, UnaryOperator<String> languageName, HostRule hostRule) {
    this.terminal = terminal;
    this.languageName = languageName;
    this.hostRule = hostRule;
  }

  @Override
  public Integer call() throws CliException, InterruptedException {
    check(maxWaiting >= 1, "--max-waiting must be at least 1");
    check(maxBodyMb >= 1 && maxBodyMb <= 2000, "--max-body-mb must be between 1 and 2000");
    check(
        claimDirectory == null || claimPlace == null,
        "--claim-dir and --claim-s3 exclude one another");
    ClaimStore claims = claims();
    ConnectionCheck.run(connection.target(), connection.connectTimeout());
    GatewayConfig defaults = GatewayConfig.defaults();
    GatewayConfig config =
        new GatewayConfig(
            apiKeys(System.getenv(KEYS_VARIABLE)),
            (long) maxBodyMb << 20,
            defaults.inlineBytes(),
            maxWaiting,
            Duration.ofSeconds(timeoutSeconds),
            defaults.claimTtl());
    CountDownLatch end = new CountDownLatch(1);
    CountDownLatch closed = new CountDownLatch(1);
    Thread hook =
        new Thread(
            () -> {
              end.countDown();
              await(closed);
            },
            "stop-gateway");
    Runtime.getRuntime().addShutdownHook(hook);
    try (GatewayRoutes routes = new GatewayRoutes(config, claims, languageName);
        GatewayServer server =
            new GatewayServer(host, port, hostRule.of(host, allowedHosts), routes)) {
      routes.open(connection.target());
      terminal.out().printf("The gateway is ready; Ctrl-C stops it.%n");
      terminal.out().printf("  base URL  http://%s:%d/v1%n", host, server.port());
      terminal.out().flush();
      end.await();
      routes.stop(); // before the server ends
    } catch (IOException e) {
      throw new CliException(ExitCodes.USAGE, "the gateway can't start: " + e.getMessage(), e);
    } catch (KafkaException e) {
      throw new CliException(
          ExitCodes.UNREACHABLE, "the gateway can't start: " + e.getMessage(), e);
    } finally {
      closed.countDown();
    }
    return ExitCodes.OK;
  }

  private ClaimStore claims() throws CliException {
    if (claimPlace != null) {
      return new S3Claims(s3.storage("--claim-s3", claimPlace));
    }
    if (claimDirectory == null) {
      return null;
    }
    try {
      ClaimStore claims = new DirectoryClaims(claimDirectory);
      check(
          Files.isWritable(claimDirectory),
          "can't write into --claim-dir " + claimDirectory + "; check its permissions");
      return claims;
    } catch (IOException e) {
      throw new CliException(
          ExitCodes.USAGE,
          "can't make --claim-dir " + claimDirectory + ": " + FileFailures.reason(e),
          e);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Of a gateway that is served beside something else: keys from the environment, else defaults.
   */
  public static GatewayConfig configured() {
    GatewayConfig d = GatewayConfig.defaults();
    return new GatewayConfig(
        apiKeys(System.getenv(KEYS_VARIABLE)),
        d.maxBodyBytes(),
        d.inlineBytes(),
        d.maxWaiting(),
        d.timeout(),
        d.claimTtl());
  }

  /** Keys as the environment variable has them. */
  static List<String> apiKeys(String variable) {
    return variable == null
        ? List.of()
        : new ArrayList<>(
            Arrays.stream(variable.split(","))
                .map(String::strip)
                .filter(k -> !k.isEmpty())
                .toList());
  }

  private static void check(boolean holds, String message) throws CliException {
    if (!holds) {
      throw new CliException(ExitCodes.USAGE, message);
    }
  }
}
