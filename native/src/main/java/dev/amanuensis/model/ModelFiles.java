package dev.amanuensis.model;

import java.nio.file.Path;

/**
 * A model that is ready for use.
 *
 * @param weights safetensors file with Hugging Face tensor names
 * @param tokenizer tokenizer.json of the same model
 * @param sha256 SHA-256 of the weights file, lower-case hex
 * @param name name of the model, for example {@code whisper-base}
 */
public record ModelFiles(Path weights, Path tokenizer, String sha256, String name) {}
