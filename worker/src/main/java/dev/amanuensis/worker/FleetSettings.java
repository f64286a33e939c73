package dev.amanuensis.worker;

import dev.amanuensis.schema.serde.AvroSerdes;
import dev.amanuensis.worker.config.Setting;
import dev.amanuensis.worker.config.WorkerConfig;
import dev.amanuensis.worker.intake.FleetReader;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/** From a worker's settings to those of a reader of its fleet. */
public final class FleetSettings {
  private FleetSettings() {}

  /** The reader of the fleet that a worker with these settings belongs to. */
  public static FleetReader.Config of(WorkerConfig config, Duration timeout) {
    Map<String, Object> clients = new HashMap<>(config.clients());
    clients.put("bootstrap.servers", config.text(Setting.BOOTSTRAP_SERVERS));
    clients.put("client.id", "amanuensis-fleet");
    Map<String, Object> registry = new HashMap<>(config.clients());
    registry.put(AvroSerdes.REGISTRY_URL, config.text(Setting.SCHEMA_REGISTRY_URL));
    return new FleetReader.Config(
        clients,
        registry,
        config.text(Setting.GROUP_ID),
        config.list(Setting.JOBS_TOPICS),
        config.text(Setting.WORKERS_TOPIC),
        config.text(Setting.DLQ_TOPIC),
        timeout);
  }
}
