package dev.amanuensis.model;

import dev.amanuensis.model.CTranslate2File.Type;
import dev.amanuensis.model.CTranslate2File.Variable;
import dev.amanuensis.model.ModelException.Code;
import dev.amanuensis.model.SafetensorsWriter.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Converts a CTranslate2 Whisper model to safetensors with Hugging Face's tensor names. No number
 * changes: tensors are renamed, stacked ones are cut apart. The result depends on the input's
 * tensors only, so its hash can be known in advance.
 */
final class ModelConverter {
  private ModelConverter() {}

  static void convert(Path modelBin, Path safetensors) throws ModelException {
    try (FileChannel in = FileChannel.open(modelBin, StandardOpenOption.READ)) {
      List<Tensor> tensors = new ArrayList<>();
      for (Variable variable : CTranslate2File.read(in)) {
        tensors.addAll(tensorsOf(variable));
      }
      if (tensors.isEmpty()) {
        throw new ModelException(Code.CORRUPT, modelBin + " holds no tensor of a Whisper model");
      }
      SafetensorsWriter.write(safetensors, tensors);
    } catch (IOException e) {
      throw ModelException.of("can't convert " + modelBin, e);
    }
  }

  static List<Tensor> tensorsOf(Variable variable) throws ModelException {
    boolean number = variable.type() == Type.FLOAT16 || variable.type() == Type.FLOAT32;
    List<String> names = TensorNames.of(variable.name());
    if (names.isEmpty()) {
      // Scalars and integers are settings that follow from the geometry of Whisper.
      if (number && variable.shape().length > 0) {
        throw new ModelException(
            Code.CORRUPT, "unexpected tensor in a Whisper model: " + variable.name());
      }
      return List.of();
    }
    if (!number || variable.shape().length == 0 || variable.shape()[0] % names.size() != 0) {
      throw new ModelException(
          Code.CORRUPT, "tensor of an unexpected type or shape: " + variable.name());
    }
    int[] shape = variable.shape().clone();
    shape[0] /= names.size();
    int bytes = variable.data().remaining() / names.size();
    String dtype = variable.type() == Type.FLOAT16 ? "F16" : "F32";
    List<Tensor> tensors = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      ByteBuffer data = variable.data().slice(i * bytes, bytes);
      if (TensorNames.isAbsent(names.get(i))) {
        requireZero(names.get(i), data);
      } else {
        tensors.add(new Tensor(names.get(i), dtype, shape, data));
      }
    }
    return tensors;
  }

  private static void requireZero(String name, ByteBuffer data) throws ModelException {
    while (data.hasRemaining()) {
      if (data.get() != 0) {
        throw new ModelException(Code.CORRUPT, name + " is not zero, as it is in Whisper");
      }
    }
  }
}
