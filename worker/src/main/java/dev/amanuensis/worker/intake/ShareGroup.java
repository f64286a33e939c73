package dev.amanuensis.worker.intake;

import dev.amanuensis.worker.config.WorkerConfig;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigResource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a share group of workers needs and no broker has by default. */
final class ShareGroup {
  private static final Logger LOG = LoggerFactory.getLogger(ShareGroup.class);

  private ShareGroup() {}

  /** Sets it; where this worker may not, it says what somebody else has to set. */
  static void configure(ShareConfig config) {
    int deliveries = config.intake().maxAttempts() + WorkerConfig.SPARE_SHARE_DELIVERIES;
    Map<String, String> wanted =
        Map.of(
            "share.auto.offset.reset", "earliest",
            // long jobs keep their record by renewing its lock
            "share.renew.acknowledge.enable", "true",
            // the safety net: the worker gives a job up before
            "share.delivery.count.limit", Integer.toString(deliveries));
    Collection<AlterConfigOp> ops =
        wanted.entrySet().stream()
            .map(
                e ->
                    new AlterConfigOp(
                        new ConfigEntry(e.getKey(), e.getValue()), AlterConfigOp.OpType.SET))
            .toList();
    ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, config.group());
    try (Admin admin = Admin.create(config.admin())) {
      admin.incrementalAlterConfigs(Map.of(group, ops)).all().get();
    } catch (ExecutionException | KafkaException e) {
      LOG.warn(
          "the share group {} can't be configured: {}. Somebody with the right to has to set {}",
          config.group(),
          e.getMessage(),
          List.copyOf(wanted.entrySet()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
