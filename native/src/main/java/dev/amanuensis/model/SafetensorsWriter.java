package dev.amanuensis.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * Writes a safetensors file: uint64 header length, JSON header padded with spaces, the data of the
 * tensors one after the other. The data begins at a multiple of 64 bytes, so it can be mapped and
 * read with aligned loads.
 */
final class SafetensorsWriter {
  private static final int ALIGNMENT = 64;
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * One tensor.
   *
   * @param dtype F16 or F32
   * @param data little-endian, position 0
   */
  record Tensor(String name, String dtype, int[] shape, ByteBuffer data) {}

  private SafetensorsWriter() {}

  /** Writes and syncs the file; the data goes from the source's mapping to the file unbuffered. */
  static void write(Path file, List<Tensor> tensors) throws IOException {
    try (FileChannel out =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      writeAll(out, header(tensors));
      for (Tensor tensor : tensors) {
        writeAll(out, tensor.data().duplicate());
      }
      out.force(true);
    }
  }

  private static ByteBuffer header(List<Tensor> tensors) throws IOException {
    ObjectNode root = JSON.createObjectNode();
    root.putObject("__metadata__").put("format", "pt");
    long offset = 0;
    for (Tensor tensor : tensors) {
      ObjectNode entry = root.putObject(tensor.name());
      entry.put("dtype", tensor.dtype());
      ArrayNode shape = entry.putArray("shape");
      for (int dim : tensor.shape()) {
        shape.add(dim);
      }
      long end = offset + tensor.data().remaining();
      entry.putArray("data_offsets").add(offset).add(end);
      offset = end;
    }
    byte[] json = JSON.writeValueAsBytes(root);
    int total = (Long.BYTES + json.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    ByteBuffer header = ByteBuffer.allocate(total).order(ByteOrder.LITTLE_ENDIAN);
    header.putLong(total - Long.BYTES).put(json);
    while (header.hasRemaining()) {
      header.put((byte) ' ');
    }
    return header.flip();
  }

  private static void writeAll(FileChannel out, ByteBuffer data) throws IOException {
    while (data.hasRemaining()) {
      out.write(data);
    }
  }
}
