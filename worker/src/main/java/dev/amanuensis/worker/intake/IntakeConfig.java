package dev.amanuensis.worker.intake;

import java.util.List;
import java.util.Map;

/**
 * @param topics to consume jobs from
 * @param consumer configuration of a consumer of byte arrays, without auto-commit
 * @param registry configuration of the deserializer
 * @param maxBytesInFlight of inline audio that is held at once, roughly
 */
public record IntakeConfig(
    List<String> topics,
    Map<String, Object> consumer,
    Map<String, Object> registry,
    long maxBytesInFlight) {}
