package dev.amanuensis.standalone;

import static org.apache.kafka.common.acl.AclOperation.DELETE;
import static org.apache.kafka.common.acl.AclOperation.READ;
import static org.apache.kafka.common.acl.AclOperation.WRITE;
import static org.apache.kafka.common.resource.PatternType.LITERAL;
import static org.apache.kafka.common.resource.PatternType.PREFIXED;
import static org.apache.kafka.common.resource.ResourceType.GROUP;
import static org.apache.kafka.common.resource.ResourceType.TOPIC;
import static org.apache.kafka.common.resource.ResourceType.TRANSACTIONAL_ID;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.schema.topic.Topics;
import dev.amanuensis.standalone.Commands.Result;
import dev.amanuensis.worker.Worker;
import dev.amanuensis.worker.config.Setting;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/**
 * A whole transcription over SASL_SSL, HTTPS and ACLs, with the least rights that docs/security.md
 * lists for each part; and no password in any output or log.
 */
class SecureClusterIT {
  @TempDir static Path directory;
  private static SecureCluster cluster;
  private static final Queue<String> LOGGED = new ConcurrentLinkedQueue<>();
  private static final AppenderBase<ILoggingEvent> KEEP =
      new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
          LOGGED.add(event.getFormattedMessage());
        }
      };

  @BeforeAll
  static void start() throws Exception {
    KEEP.setContext((LoggerContext) LoggerFactory.getILoggerFactory());
    KEEP.start();
    cluster = new SecureCluster(directory);
    loggingAll();
    Result created = run(SecureCluster.ADMIN, "topics", "create", "--partitions", "1");
    assertThat(created.code()).as(created.err()).isEqualTo(ExitCodes.OK);
    try (Admin admin = Admin.create(adminConfiguration())) {
      admin.createAcls(acls()).all().get();
    }
  }

  /** Kafka's clients and the registry's tell their settings at INFO; commands turn that down. */
  private static void loggingAll() {
    for (String name :
        List.of("org.apache.kafka.clients", "org.apache.kafka.common", "io.confluent")) {
      Logger logger = (Logger) LoggerFactory.getLogger(name);
      logger.setLevel(Level.INFO);
      if (!logger.isAttached(KEEP)) {
        logger.addAppender(KEEP);
      }
    }
  }

  private static Map<String, Object> adminConfiguration() {
    Map<String, Object> c = new HashMap<>(cluster.client(SecureCluster.ADMIN));
    c.put("bootstrap.servers", cluster.bootstrapServers());
    return c;
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  /** The table of docs/security.md. */
  private static List<AclBinding> acls() {
    List<AclBinding> acls = new ArrayList<>();
    for (String lane : Topics.LANES) {
      allow(acls, "producer", TOPIC, lane, LITERAL, WRITE);
      allow(acls, "worker", TOPIC, lane, LITERAL, READ);
      allow(acls, "operator", TOPIC, lane, LITERAL, READ, WRITE);
    }
    allow(acls, "producer", TOPIC, Topics.CONTROL, LITERAL, WRITE);
    allow(acls, "producer", TOPIC, Topics.TRANSCRIPTS, LITERAL, READ); // submit --wait
    allow(acls, "worker", GROUP, "amanuensis", PREFIXED, READ);
    allow(acls, "worker", TRANSACTIONAL_ID, "amanuensis-", PREFIXED, WRITE);
    allow(acls, "worker", TOPIC, Topics.TRANSCRIPTS, LITERAL, WRITE);
    allow(acls, "worker", TOPIC, Topics.PARTIAL, LITERAL, READ, WRITE);
    allow(acls, "worker", TOPIC, Topics.CONTROL, LITERAL, READ);
    allow(acls, "worker", TOPIC, Topics.WORKERS, LITERAL, WRITE);
    allow(acls, "worker", TOPIC, Topics.DLQ, LITERAL, WRITE);
    allow(acls, "reader", TOPIC, Topics.TRANSCRIPTS, LITERAL, READ);
    allow(acls, "reader", TOPIC, Topics.PARTIAL, LITERAL, READ); // watch --follow
    allow(acls, "operator", TOPIC, Topics.DLQ, LITERAL, READ, WRITE, DELETE);
    allow(acls, "operator", TRANSACTIONAL_ID, "amanuensis-dlq-", PREFIXED, WRITE);
    for (String topic : List.of(Topics.TRANSCRIPTS, Topics.PARTIAL, Topics.CONTROL)) {
      allow(acls, "operator", TOPIC, topic, LITERAL, READ); // jobs status
    }
    return acls;
  }

  private static void allow(
      List<AclBinding> acls,
      String user,
      ResourceType type,
      String name,
      PatternType pattern,
      AclOperation... operations) {
    for (AclOperation operation : operations) {
      acls.add(
          new AclBinding(
              new ResourcePattern(type, name, pattern),
              new AccessControlEntry("User:" + user, "*", operation, AclPermissionType.ALLOW)));
    }
  }

  private static Result run(String user, Object... command) throws Exception {
    List<Object> words = new ArrayList<>(List.of(command));
    words.addAll(List.of("-b", cluster.bootstrapServers()));
    words.addAll(List.of("--schema-registry", cluster.registryUrl()));
    words.addAll(List.of("--command-config", cluster.commandConfig(user)));
    Result result = Commands.run(words.toArray());
    loggingAll();
    assertThat(result.out() + result.err()).doesNotContain(SecureCluster.SECRET);
    return result;
  }

  private static Map<String, String> workerSettings() {
    Map<String, String> settings = new HashMap<>();
    settings.put(Setting.BOOTSTRAP_SERVERS.key(), cluster.bootstrapServers());
    settings.put(Setting.SCHEMA_REGISTRY_URL.key(), cluster.registryUrl());
    settings.put(Setting.WORKER_ID.key(), "secure");
    settings.put(Setting.SHUTDOWN_GRACE_SECONDS.key(), "5");
    cluster.client("worker").forEach((k, v) -> settings.put(Setting.CLIENT_PREFIX + k, v));
    return settings;
  }

  @Test
  void leastRightsAreEnoughForATranscription() throws Exception {
    String id;
    Map<String, String> settings = workerSettings();
    settings.put("admin.port", "off");
    try (dev.amanuensis.standalone.Admin admin =
            dev.amanuensis.standalone.Admin.start(Workers.config(settings), List.of());
        Worker worker = Workers.load(settings, admin)) {
      worker.start();
      Result submitted =
          run("producer", "submit", "--wait", "--timeout", "120", "--temperature=0", Commands.JFK);
      assertThat(worker.failure()).isNull();
      assertThat(submitted.code()).as(submitted.err()).isEqualTo(ExitCodes.OK);
      assertThat(submitted.out()).contains("ask not what your country can do for you");
      id = submittedId(submitted.err());
    }
    Result watched = run("reader", "watch", "--from-beginning", "--max=1");
    assertThat(watched.out()).as(watched.err()).contains("ask not what your country");
    assertThat(run("producer", "cancel", "some-job").code()).isEqualTo(ExitCodes.OK);
    Result dlq = run("operator", "dlq", "list");
    assertThat(dlq.code()).as(dlq.err()).isEqualTo(ExitCodes.OK);
    Result status = run("operator", "jobs", "status", id);
    assertThat(status.out()).as(status.err()).contains("COMPLETED");
    assertThat(LOGGED).anyMatch(line -> line.contains("sasl.jaas.config = [hidden]"));
    assertThat(LOGGED).noneMatch(line -> line.contains(SecureCluster.SECRET));
  }

  @Test
  void healthNamesTheRightThatWasTakenAwayAndTheJobIsDoneOnceItIsBack() throws Exception {
    List<AclBinding> right = new ArrayList<>();
    allow(right, "worker", TOPIC, Topics.TRANSCRIPTS, LITERAL, WRITE);
    Map<String, String> settings = workerSettings();
    settings.put(Setting.ADMIN_PORT.key(), "0");
    try (dev.amanuensis.standalone.Admin admin =
            dev.amanuensis.standalone.Admin.start(Workers.config(settings), List.of());
        Worker worker = Workers.load(settings, admin);
        Admin acls = Admin.create(adminConfiguration())) {
      worker.start();
      URI ready = URI.create(admin.url().orElseThrow() + "health/ready");
      assertThat(awaitHealth(ready, 200)).contains("up");
      acls.deleteAcls(right.stream().map(AclBinding::toFilter).toList()).all().get();
      CompletableFuture<Result> submitted =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return run("producer", "submit", "--wait", "--timeout", "120", Commands.JFK);
                } catch (Exception e) {
                  throw new IllegalStateException(e);
                }
              });
      assertThat(awaitHealth(ready, 503)).contains("WRITE on topic " + Topics.TRANSCRIPTS);
      acls.createAcls(right).all().get();
      assertThat(submitted.join().out()).contains("ask not what your country can do for you");
      assertThat(awaitHealth(ready, 200)).contains("up");
    }
  }

  private static String awaitHealth(URI ready, int status) throws Exception {
    HttpClient http = HttpClient.newHttpClient();
    long until = System.nanoTime() + 60_000_000_000L;
    while (true) {
      HttpResponse<String> answer =
          http.send(HttpRequest.newBuilder(ready).build(), HttpResponse.BodyHandlers.ofString());
      if (answer.statusCode() == status || System.nanoTime() - until > 0) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        return answer.body();
      }
      Thread.sleep(50);
    }
  }

  private static String submittedId(String err) {
    return err.lines().filter(line -> line.contains("\t")).findFirst().orElseThrow().split("\t")[0];
  }

  @Test
  void nobodyCanDoAnothersWork() throws Exception {
    for (Result refused :
        List.of(
            run("reader", "submit", Commands.JFK),
            run("reader", "cancel", "some-job"),
            run("producer", "dlq", "list"),
            run("worker", "dlq", "purge", "--all", "--yes"),
            run("reader", "dlq", "purge", "--all", "--yes"))) {
      assertThat(refused.code()).as(refused.out() + refused.err()).isEqualTo(ExitCodes.UNREACHABLE);
      assertThat(refused.err()).contains("--command-config");
    }
  }

  @Test
  void wrongPasswordAndPlainTextAreRefused() throws Exception {
    Path wrong = cluster.commandConfig("nobody");
    Result refused =
        Commands.run(
            "watch",
            "-b",
            cluster.bootstrapServers(),
            "--schema-registry",
            cluster.registryUrl(),
            "--command-config",
            wrong);
    loggingAll();
    assertThat(refused.code()).isEqualTo(ExitCodes.UNREACHABLE);
    assertThat(refused.err()).contains("refuses us").doesNotContain(SecureCluster.SECRET);
    Result plain =
        Commands.run("watch", "--connect-timeout", "2", "-b", cluster.bootstrapServers());
    loggingAll();
    assertThat(plain.code()).isEqualTo(ExitCodes.UNREACHABLE);
    assertThat(plain.err()).contains("security.protocol");
  }

  @Test
  void certificatesOfNobodyKnownAreNamed() throws Exception {
    Map<String, String> client = new HashMap<>(cluster.client("producer"));
    client.keySet().removeIf(k -> k.startsWith("schema.registry.ssl"));
    Path strangeRegistry = cluster.commandConfig("strange-registry", client);
    client.keySet().removeIf(k -> k.startsWith("ssl."));
    Path strangeKafka = cluster.commandConfig("strange-kafka", client);
    for (Path config : List.of(strangeKafka, strangeRegistry)) {
      Result refused =
          Commands.run(
              "submit",
              Commands.JFK,
              "-b",
              cluster.bootstrapServers(),
              "--schema-registry",
              cluster.registryUrl(),
              "--command-config",
              config);
      loggingAll();
      assertThat(refused.code()).isEqualTo(ExitCodes.UNREACHABLE);
      assertThat(refused.err())
          .contains("unable to find valid certification path", "--command-config")
          .contains(config.equals(strangeKafka) ? "no TLS with Kafka at" : "Schema Registry at")
          .contains(config.equals(strangeKafka) ? "; ssl.truststore" : "; schema.registry.ssl");
    }
  }

  @Test
  void printedSettingsShowNoSecret() throws Exception {
    Result printed = run("worker", "worker", "--print-config");
    assertThat(printed.code()).as(printed.err()).isEqualTo(ExitCodes.OK);
    assertThat(printed.out())
        .contains("kafka.sasl.jaas.config=***")
        .contains("kafka.ssl.truststore.password=***")
        .contains("kafka.basic.auth.user.info=***")
        .contains("kafka.security.protocol=SASL_SSL");
  }
}
