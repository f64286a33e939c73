package dev.amanuensis.broker;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** Settings of a single broker for a laptop or a test: fast to start, quick to notice the dead. */
final class BrokerSettings {
  static final int NODE_ID = 1;
  static final String CLIENT_LISTENER = "CLIENTS";
  static final String CONTROLLER_LISTENER = "CONTROLLER";

  /** Largest record; transcripts with words are about 0.6 MB per hour of speech. */
  static final int MAX_RECORD_BYTES = 8 << 20;

  private final Map<String, Object> settings = new HashMap<>();

  BrokerSettings(Path dataDirectory, int clientPort, int controllerPort) {
    set("process.roles", "broker,controller");
    set("node.id", NODE_ID);
    set("log.dirs", dataDirectory);
    set(
        "listeners",
        "%s://localhost:%d,%s://localhost:%d"
            .formatted(CLIENT_LISTENER, clientPort, CONTROLLER_LISTENER, controllerPort));
    set("advertised.listeners", "%s://localhost:%d".formatted(CLIENT_LISTENER, clientPort));
    set(
        "listener.security.protocol.map",
        "%s:PLAINTEXT,%s:PLAINTEXT".formatted(CLIENT_LISTENER, CONTROLLER_LISTENER));
    set("inter.broker.listener.name", CLIENT_LISTENER);
    set("controller.listener.names", CONTROLLER_LISTENER);
    set("controller.quorum.voters", "%d@localhost:%d".formatted(NODE_ID, controllerPort));
    oneBroker();
    quickGroups();
    small();
  }

  private void oneBroker() {
    set("auto.create.topics.enable", false);
    set("default.replication.factor", 1);
    set("min.insync.replicas", 1);
    set("offsets.topic.replication.factor", 1);
    set("offsets.topic.num.partitions", 4);
    set("transaction.state.log.replication.factor", 1);
    set("transaction.state.log.min.isr", 1);
    set("transaction.state.log.num.partitions", 4);
    set("share.coordinator.state.topic.replication.factor", 1);
    set("share.coordinator.state.topic.min.isr", 1);
    set("share.coordinator.state.topic.num.partitions", 4);
    // A controlled shutdown makes the next start on the same folder quick.
    set("controlled.shutdown.enable", true);
  }

  private void quickGroups() {
    set("group.initial.rebalance.delay.ms", 0);
    set("group.min.session.timeout.ms", 1_000);
    set("group.consumer.min.session.timeout.ms", 2_000); // a group may ask for less than 10 s
    set("group.consumer.session.timeout.ms", 10_000);
    set("group.consumer.min.heartbeat.interval.ms", 500);
    set("group.consumer.heartbeat.interval.ms", 1_000);
    set("group.share.min.session.timeout.ms", 2_000);
    set("group.share.session.timeout.ms", 10_000);
    set("group.share.min.heartbeat.interval.ms", 500);
    set("group.share.heartbeat.interval.ms", 1_000);
    set("group.share.min.record.lock.duration.ms", 1_000);
    set("group.share.assignment.interval.ms", 0);
    // A killed worker's open transaction must not hold readers up for long.
    set("transaction.abort.timed.out.transaction.cleanup.interval.ms", 1_000);
  }

  private void small() {
    set("message.max.bytes", MAX_RECORD_BYTES);
    set("replica.fetch.max.bytes", MAX_RECORD_BYTES);
    set("log.cleaner.dedupe.buffer.size", 4 << 20);
    set("log.segment.bytes", 64 << 20);
    set("num.network.threads", 1);
    set("num.io.threads", 2);
    set("num.recovery.threads.per.data.dir", 1);
    set("background.threads", 2);
  }

  private void set(String key, Object value) {
    settings.put(key, value.toString());
  }

  Map<String, Object> toMap() {
    return settings;
  }
}
