package dev.amanuensis.model;

import java.nio.file.Path;

/** A place a model can be had from. */
interface ModelSource {
  /** For people. */
  String description();

  /**
   * Puts a CTranslate2 model and its tokenizer into the work directory, both verified. What is
   * there from an earlier, interrupted try may be used.
   */
  Raw obtain(Path workDirectory, FetchProgress progress) throws ModelException;

  /** Verified files in the work directory. */
  record Raw(Path modelBin, Path tokenizer, Artifact tokenizerArtifact) {}
}
