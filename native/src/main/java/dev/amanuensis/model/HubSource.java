package dev.amanuensis.model;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/** A repository on the Hugging Face Hub, or on the mirror that HF_ENDPOINT names. */
final class HubSource implements ModelSource {
  // A hub that can't be reached must not hold up the sources after it.
  private static final Duration FIRST_RESPONSE = Duration.ofMillis(2_500);
  private static final String DEFAULT_ENDPOINT = "https://huggingface.co";

  private final ModelSpec spec;
  private final Map<String, String> environment;

  HubSource(ModelSpec spec, Map<String, String> environment) {
    this.spec = spec;
    this.environment = environment;
  }

  @Override
  public String description() {
    return spec.hubRepository() + " at " + URI.create(endpoint()).getHost();
  }

  @Override
  public Raw obtain(Path workDirectory, FetchProgress progress) throws ModelException {
    Path modelBin = workDirectory.resolve("hub-" + ModelSpec.MODEL_BIN);
    Path tokenizer = workDirectory.resolve("hub-" + ModelStore.TOKENIZER);
    try (HttpTransport transport = new HttpTransport(environment, FIRST_RESPONSE)) {
      HttpDownload download = new HttpDownload(transport, progress);
      download.fetch(uri(ModelStore.TOKENIZER), tokenizer, spec.tokenizer());
      download.fetch(uri(ModelSpec.MODEL_BIN), modelBin, spec.weights());
    }
    return new Raw(modelBin, tokenizer, spec.tokenizer());
  }

  private URI uri(String file) {
    return URI.create(endpoint() + "/" + spec.hubRepository() + "/resolve/main/" + file);
  }

  private String endpoint() {
    String configured = environment.getOrDefault("HF_ENDPOINT", "").strip();
    return (configured.isEmpty() ? DEFAULT_ENDPOINT : configured).replaceFirst("/+$", "");
  }
}
