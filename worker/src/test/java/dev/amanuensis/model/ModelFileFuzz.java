package dev.amanuensis.model;

import java.nio.ByteBuffer;

/** Fuzz target: a CTranslate2 model file becomes tensors or a ModelException. */
public final class ModelFileFuzz {
  private ModelFileFuzz() {}

  public static void fuzzerTestOneInput(byte[] data) {
    try {
      for (CTranslate2File.Variable variable : CTranslate2File.read(ByteBuffer.wrap(data))) {
        ModelConverter.tensorsOf(variable);
      }
    } catch (ModelException e) {
      // refused, as it should be
    }
  }
}
