package dev.amanuensis.worker.publish;

/**
 * What every result says about its making.
 *
 * @param profile of the arithmetic: reference or fast
 * @param device that ran the encoder
 */
public record WorkerIdentity(
    String workerId, String model, String modelSha256, String profile, String device) {}
