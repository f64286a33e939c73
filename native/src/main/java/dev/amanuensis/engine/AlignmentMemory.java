package dev.amanuensis.engine;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** The am_align_request structs of one call with the arrays they point to, in one native block. */
final class AlignmentMemory implements AutoCloseable {
  private static final int REQUEST_BYTES = 64;

  private final List<AlignmentRequest> requests;
  private final NativeBuffer buffer;

  AlignmentMemory(ModelInfo info, List<AlignmentRequest> requests) {
    this.requests = requests;
    long bytes = 0;
    for (AlignmentRequest request : requests) {
      bytes += REQUEST_BYTES + (long) Integer.BYTES * arrayLength(request);
    }
    buffer = NativeBuffer.allocate(bytes);
    try {
      write(info);
    } catch (RuntimeException | Error e) {
      buffer.close();
      throw e;
    }
  }

  private void write(ModelInfo info) {
    ByteBuffer out = buffer.bytes();
    int struct = 0;
    int array = REQUEST_BYTES * requests.size();
    for (AlignmentRequest request : requests) {
      int sot = request.sotSequence().length;
      int text = request.text().length;
      long kv = request.crossKv().addressOf(info.crossKvBytes(), "cross-attention K/V");
      out.putInt(struct, REQUEST_BYTES);
      out.putInt(struct + 4, sot);
      out.putLong(struct + 8, buffer.address() + array);
      array = put(out, array, request.sotSequence());
      out.putInt(struct + 16, text);
      out.putLong(struct + 24, buffer.address() + array);
      array = put(out, array, request.text());
      out.putLong(struct + 32, kv);
      out.putInt(struct + 40, request.frames());
      out.putLong(struct + 48, buffer.address() + array);
      array += Integer.BYTES * (text + 1);
      out.putLong(struct + 56, buffer.address() + array);
      array += Float.BYTES * text;
      struct += REQUEST_BYTES;
    }
  }

  long address() {
    return buffer.address();
  }

  List<Alignment> results() {
    ByteBuffer in = buffer.bytes();
    List<Alignment> results = new ArrayList<>(requests.size());
    int array = REQUEST_BYTES * requests.size();
    for (AlignmentRequest request : requests) {
      int text = request.text().length;
      array += Integer.BYTES * (request.sotSequence().length + text);
      int[] frames = new int[text + 1];
      for (int i = 0; i <= text; i++, array += Integer.BYTES) {
        frames[i] = in.getInt(array);
      }
      float[] probabilities = new float[text];
      for (int i = 0; i < text; i++, array += Float.BYTES) {
        probabilities[i] = in.getFloat(array);
      }
      results.add(new Alignment(frames, probabilities));
    }
    return results;
  }

  /** In 4-byte elements: sot sequence, text, text + 1 frames, text probabilities. */
  private static int arrayLength(AlignmentRequest request) {
    return request.sotSequence().length + 3 * request.text().length + 1;
  }

  private static int put(ByteBuffer out, int offset, int[] values) {
    int at = offset;
    for (int value : values) {
      out.putInt(at, value);
      at += Integer.BYTES;
    }
    return at;
  }

  @Override
  public void close() {
    buffer.close();
  }
}
