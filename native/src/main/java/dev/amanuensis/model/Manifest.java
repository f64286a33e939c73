package dev.amanuensis.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.amanuensis.model.ModelException.Code;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * manifest.json of a model directory: what its files are. It is written last, so a directory with a
 * manifest is complete.
 *
 * @param model name of the model
 * @param source where it was fetched from
 */
record Manifest(String model, String source, Artifact weights, Artifact tokenizer) {
  static final String FILE_NAME = "manifest.json";
  private static final int FORMAT = 1;
  private static final ObjectMapper JSON = new ObjectMapper();

  static Manifest read(Path file) throws ModelException {
    try {
      JsonNode root = JSON.readTree(file.toFile());
      if (root == null || root.path("format").asInt() != FORMAT) {
        throw damaged(file, null);
      }
      return new Manifest(
          text(root, "model", file),
          text(root, "source", file),
          artifact(root, ModelStore.WEIGHTS, file),
          artifact(root, ModelStore.TOKENIZER, file));
    } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
      throw damaged(file, e);
    } catch (IOException e) {
      throw ModelException.of("can't read " + file, e);
    }
  }

  void write(Path file) throws IOException {
    ObjectNode root = JSON.createObjectNode();
    root.put("format", FORMAT).put("model", model).put("source", source);
    ObjectNode files = root.putObject("files");
    for (Artifact artifact : new Artifact[] {weights, tokenizer}) {
      files
          .putObject(artifact.name())
          .put("size", artifact.size())
          .put("sha256", artifact.sha256());
    }
    Files.write(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(root));
  }

  private static Artifact artifact(JsonNode root, String name, Path file) throws ModelException {
    JsonNode node = root.path("files").path(name);
    if (!node.path("size").isIntegralNumber()) {
      throw damaged(file, null);
    }
    return new Artifact(name, node.path("size").asLong(), text(node, "sha256", file));
  }

  private static String text(JsonNode node, String field, Path file) throws ModelException {
    if (!node.path(field).isTextual()) {
      throw damaged(file, null);
    }
    return node.path(field).asText();
  }

  private static ModelException damaged(Path file, Throwable cause) {
    return new ModelException(
        Code.CORRUPT, file + " is not a model manifest; fetch the model again", cause);
  }
}
