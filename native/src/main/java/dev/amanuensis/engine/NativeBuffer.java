package dev.amanuensis.engine;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.ShortBuffer;

/**
 * Memory outside the heap at a fixed, page-aligned address, for audio, mel windows, encoder states
 * and cross-attention K/V. The owner closes it when no native call and no open slot uses it any
 * more: the address is then invalid. Thread-safe as far as allocation and closing go.
 */
public final class NativeBuffer implements AutoCloseable {
  private static final int PAGE = 4096;

  private final long block;
  private final long address;
  private final int bytes;
  private ByteBuffer view;

  private NativeBuffer(long block, long address, int bytes, ByteBuffer view) {
    this.block = block;
    this.address = address;
    this.bytes = bytes;
    this.view = view.order(ByteOrder.nativeOrder());
  }

  /**
   * Zeroed memory.
   *
   * @param bytes 1 to 2^31 - 1
   * @throws OutOfMemoryError if the system has no more
   */
  public static NativeBuffer allocate(long bytes) {
    if (bytes <= 0 || bytes > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("a native buffer of " + bytes + " bytes");
    }
    long block = Native.malloc(bytes + PAGE);
    if (block == 0) {
      throw new OutOfMemoryError("native buffer of " + bytes + " bytes");
    }
    long address = (block + PAGE - 1) / PAGE * PAGE;
    Pointer pointer = new Pointer(address);
    pointer.clear(bytes);
    return new NativeBuffer(block, address, (int) bytes, pointer.getByteBuffer(0, bytes));
  }

  /**
   * The same memory under a handle of its own, for somebody who may use it for a while: closing
   * that refuses later calls through it and frees nothing. It must be closed before this buffer.
   */
  public NativeBuffer view() {
    return new NativeBuffer(0, address, bytes, bytes0().duplicate());
  }

  /** Address of the first byte, a multiple of 4096. */
  public long address() {
    bytes0();
    return address;
  }

  /** Size in bytes. */
  public int size() {
    return bytes;
  }

  /** A view of all bytes in native order. It must not be used after this buffer was closed. */
  public ByteBuffer bytes() {
    return bytes0().duplicate().order(ByteOrder.nativeOrder());
  }

  public ShortBuffer shorts() {
    return bytes().asShortBuffer();
  }

  public IntBuffer ints() {
    return bytes().asIntBuffer();
  }

  public FloatBuffer floats() {
    return bytes().asFloatBuffer();
  }

  /** The address if the buffer is open and has so many bytes. */
  long addressOf(long need, String what) {
    if (bytes < need) {
      throw new IllegalArgumentException(
          what + " needs " + need + " bytes, the buffer has " + bytes);
    }
    return address();
  }

  /** The one shared view, for absolute access without allocation. */
  synchronized ByteBuffer bytes0() {
    if (view == null) {
      throw new IllegalStateException("the native buffer is closed");
    }
    return view;
  }

  /** Frees the memory. Closing twice is harmless. */
  @Override
  public synchronized void close() {
    if (view != null) {
      view = null;
      if (block != 0) {
        Native.free(block);
      }
    }
  }
}
