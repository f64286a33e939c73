package dev.amanuensis.bench.peers;

import java.nio.file.Path;
import java.util.List;

/**
 * What all contenders are told alike.
 *
 * @param threads cores to use
 * @param language code, or null to let each engine detect it
 * @param temperatures 0 alone: greedy without fallback
 * @param isa largest instruction set that anybody may use; {@link Isa#AUTO}: the machine's
 * @param weights safetensors file of the model
 * @param tokenizer tokenizer.json
 * @param modelSha256 of the weights
 * @param runs of every contender
 */
record Settings(
    int threads,
    String language,
    List<Float> temperatures,
    Isa isa,
    Path weights,
    Path tokenizer,
    String modelSha256,
    int runs) {}
