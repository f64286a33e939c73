package dev.amanuensis.engine;

import com.sun.jna.Native;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Addresses of what callers hand in. */
final class Memory {
  private Memory() {}

  /**
   * Address of byte 0 of a direct or mapped buffer, whatever its position.
   *
   * @param need bytes that must be there
   */
  static long address(ByteBuffer buffer, long need, String what) {
    if (!buffer.isDirect()) {
      throw new IllegalArgumentException(what + " must be a direct or mapped buffer");
    }
    if (need < 0 || buffer.capacity() < need) {
      throw new IllegalArgumentException(
          what + " needs " + need + " bytes, the buffer has " + buffer.capacity());
    }
    Buffer whole = buffer.duplicate().clear();
    return com.sun.jna.Pointer.nativeValue(Native.getDirectBufferPointer(whole));
  }

  /** NUL-terminated bytes at an offset. */
  static String string(ByteBuffer bytes, int offset, int capacity) {
    byte[] copy = new byte[capacity];
    bytes.get(offset, copy);
    int length = 0;
    while (length < capacity && copy[length] != 0) {
      length++;
    }
    return new String(copy, 0, length, StandardCharsets.UTF_8);
  }
}
