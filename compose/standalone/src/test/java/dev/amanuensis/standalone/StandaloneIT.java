package dev.amanuensis.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.standalone.Commands.Result;
import dev.amanuensis.worker.config.Setting;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a user does with a fleet that goes on running. */
class StandaloneIT {
  private static final Map<String, String> SETTINGS =
      Map.of(Setting.PROFILE.key(), "reference", Setting.SHUTDOWN_GRACE_SECONDS.key(), "5");

  @TempDir Path data;

  private Fleet start() throws Exception {
    return Fleet.start(new Fleet.Plan(data.resolve("with space"), 0, 0, SETTINGS));
  }

  private static Result submit(KafkaTarget target, Object... more) {
    Object[] arguments = new Object[5 + more.length];
    arguments[0] = "submit";
    arguments[1] = "-b";
    arguments[2] = target.bootstrapServers();
    arguments[3] = "--schema-registry";
    arguments[4] = target.registryUrl();
    System.arraycopy(more, 0, arguments, 5, more.length);
    return Commands.run(arguments);
  }

  private static String schemas(KafkaTarget target) throws Exception {
    return get(target.registryUrl() + "/subjects")
        + get(target.registryUrl() + "/subjects/audio-jobs-value/versions/latest")
        + get(target.registryUrl() + "/subjects/transcripts-value/versions/latest");
  }

  private static String get(String url) throws Exception {
    HttpResponse<String> response =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(URI.create(url)).build(),
                HttpResponse.BodyHandlers.ofString());
    assertThat(response.statusCode()).as(url).isEqualTo(200);
    return response.body();
  }

  private static Set<String> topics(KafkaTarget target) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", target.bootstrapServers()))) {
      return new TreeSet<>(admin.listTopics().names().get());
    }
  }

  @Test
  void restartKeepsTopicsSchemaIdsAndTranscripts() throws Exception {
    String schemas;
    Set<String> topics;
    try (Fleet fleet = start()) {
      Result result = submit(fleet.target(), "--wait", "--temperature=0", Commands.JFK);
      assertThat(result.code()).as(result.err()).isEqualTo(ExitCodes.OK);
      assertThat(result.out()).startsWith("And so my fellow Americans");
      schemas = schemas(fleet.target());
      topics = topics(fleet.target());
      assertThat(topics).contains("audio-jobs", "transcripts", "audio-jobs.dlq");
    }
    try (Fleet fleet = start()) {
      KafkaTarget target = fleet.target();
      assertThat(schemas(target)).isEqualTo(schemas);
      assertThat(topics(target)).isEqualTo(topics);
      Result watched =
          Commands.run(
              "watch",
              "--from-beginning",
              "--max=1",
              "-b",
              target.bootstrapServers(),
              "--schema-registry",
              target.registryUrl());
      assertThat(watched.code()).as(watched.err()).isEqualTo(ExitCodes.OK);
      assertThat(watched.out()).contains("jfk.wav").contains("And so my fellow Americans");
    }
  }

  @Test
  void secondFleetInTheSameDirectoryDoesTheFirstNoHarm() throws Exception {
    try (Fleet fleet = start()) {
      Result second =
          Commands.run(
              "standalone",
              "--kafka-port=0",
              "--registry-port=0",
              "--admin-port=off",
              "--data-dir",
              data.resolve("with space"));
      assertThat(second.code()).as(second.err()).isEqualTo(ExitCodes.USAGE);
      assertThat(second.err()).contains("another Amanuensis uses").doesNotContain("\tat ");
      Result result =
          submit(fleet.target(), "--wait", "--timeout=60", "--temperature=0", Commands.JFK);
      assertThat(result.code()).as(result.err()).isEqualTo(ExitCodes.OK);
      fleet.check();
    }
  }

  @Test
  void takenPortIsNamedWithWhatToDo() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      int port = taken.getLocalPort();
      for (String option : new String[] {"--kafka-port=", "--registry-port="}) {
        String other = option.startsWith("--kafka") ? "--registry-port=0" : "--kafka-port=0";
        Result result =
            Commands.run(
                "standalone", option + port, other, "--admin-port=off", "--data-dir", data);
        assertThat(result.code()).as(result.err()).isEqualTo(ExitCodes.USAGE);
        assertThat(result.err())
            .contains("port " + port + " on the loopback interface can't be used")
            .contains(option.replace("=", ""), "0 for a free one");
      }
    }
    for (String port : new String[] {"-1", "65536", "kafka"}) {
      Result result = Commands.run("standalone", "--kafka-port=" + port);
      assertThat(result.code()).as(result.err()).isEqualTo(ExitCodes.USAGE);
      assertThat(result.err()).contains("'" + port + "' is not a port from 0 (a free one)");
    }
  }

  @Test
  void jobSubmittedWhileNoWorkerRunsIsDoneLater() throws Exception {
    Path audio = Files.copy(Commands.JFK, data.resolve("a b.wav"));
    String id;
    try (Fleet fleet = start()) {
      fleet.stopWorker();
      Result result = submit(fleet.target(), "--temperature=0", audio);
      assertThat(result.code()).as(result.err()).isEqualTo(ExitCodes.OK);
      assertThat(result.out()).endsWith("\t" + audio + "\n");
      id = result.out().substring(0, result.out().indexOf('\t'));
    }
    try (Fleet fleet = start()) {
      Result watched =
          Commands.run(
              "watch",
              "--from-beginning",
              "--max=1",
              "-b",
              fleet.target().bootstrapServers(),
              "--schema-registry",
              fleet.target().registryUrl());
      assertThat(watched.out()).startsWith("== " + id + "  " + audio + "\nAnd so my fellow");
    }
  }

  @Test
  void optionThatTheWorkerRefusesIsUsage() throws Exception {
    try (Fleet fleet = start()) {
      // One of the few that the commands themselves let pass: seconds beyond any file's.
      Result result =
          submit(fleet.target(), "--wait", "--timeout=60", "--clip-timestamps=1e10", Commands.JFK);
      assertThat(result.code()).as(result.out()).isEqualTo(ExitCodes.USAGE);
      assertThat(result.err()).contains("jfk.wav: INVALID_OPTION: ");
    }
  }
}
