package dev.amanuensis.worker.intake;

import java.util.Map;

/**
 * @param intake as for a consumer group; its consumer settings without those of such groups
 * @param admin settings of the client that sets the group's configuration
 * @param group of the workers
 * @param producer of byte arrays, idempotent, without transactions
 */
public record ShareConfig(
    IntakeConfig intake, Map<String, Object> admin, String group, Map<String, Object> producer) {}
