package dev.amanuensis.worker.publish;

import java.time.Duration;
import java.util.Map;

/**
 * @param topic of partial transcripts
 * @param interval at least so long between two of one job
 * @param producer of byte arrays, without transactions
 * @param consumer of byte arrays, without a group
 * @param registry of the serializers
 */
public record PartialsConfig(
    String topic,
    Duration interval,
    Map<String, Object> producer,
    Map<String, Object> consumer,
    Map<String, Object> registry) {}
