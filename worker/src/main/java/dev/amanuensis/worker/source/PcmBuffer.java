package dev.amanuensis.worker.source;

import dev.amanuensis.engine.Copies;
import dev.amanuensis.worker.buffers.Lease;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Collects PCM as it is decoded. The first {@value #WINDOW_BYTES} bytes lie in a leased buffer;
 * what is longer goes to a temporary file that is mapped and unlinked, so that neither memory nor
 * disk keeps anything after {@link #close}. One thread at a time.
 */
final class PcmBuffer implements AutoCloseable {
  /** 30 s at 16 kHz, 16 bits. */
  static final int WINDOW_BYTES = 30 * 16_000 * 2;

  private final Path directory;
  private Lease lease;
  private ByteBuffer memory;
  private FileChannel file;
  private ByteBuffer mapped;
  private long bytes;
  private long copied;
  private String damage;

  /**
   * @param lease of {@value #WINDOW_BYTES} bytes at least; taken over
   */
  PcmBuffer(Path directory, Lease lease) {
    this.directory = directory;
    this.lease = lease;
    this.memory = lease.buffer().bytes().limit(WINDOW_BYTES);
  }

  /**
   * So many bytes will come: what does not fit into the buffer goes to the file from the start,
   * instead of being moved there once the buffer is full.
   */
  void expect(long total) throws IOException {
    if (file == null && bytes == 0 && total > WINDOW_BYTES) {
      spill();
    }
  }

  /** Appends all remaining bytes. */
  void write(ByteBuffer data) throws IOException {
    bytes += data.remaining();
    copied += data.remaining();
    if (file == null && data.remaining() <= memory.remaining()) {
      memory.put(data);
      return;
    }
    if (file == null) {
      spill();
    }
    while (data.hasRemaining()) {
      file.write(data);
    }
  }

  /** Notes what is missing of the audio. */
  void damage(String sentence) {
    damage = sentence;
  }

  /** What is missing of the audio, or null. */
  String damage() {
    return damage;
  }

  private void spill() throws IOException {
    Path path = Files.createTempFile(directory, "amanuensis-pcm-", ".raw");
    file = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
    Files.delete(path); // the open channel, and later the mapping, keep the data
    memory.flip();
    copied += memory.remaining();
    while (memory.hasRemaining()) {
      file.write(memory);
    }
    memory = null;
    lease.close();
    lease = null;
  }

  /** No more is written. */
  void finish() throws IOException {
    if (file != null) {
      mapped = file.map(FileChannel.MapMode.READ_ONLY, 0, bytes);
      file.close();
    }
    Copies.count(copied);
  }

  /** Copies of each byte, on the average. */
  double copies() {
    return bytes == 0 ? 1 : (double) copied / bytes;
  }

  long bytes() {
    return bytes;
  }

  /** From byte 0 to the last whole sample. */
  ByteBuffer buffer() {
    ByteBuffer data = mapped != null ? mapped : memory;
    if (data == null) {
      throw new IllegalStateException("the audio is closed");
    }
    if (lease != null) {
      lease.buffer(); // throws if it is not ours any more
    }
    ByteBuffer whole = data.duplicate().clear().limit((int) (bytes & ~1L));
    return whole.order(ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  public void close() {
    if (lease != null) {
      lease.close();
    }
    free(mapped);
    lease = null;
    memory = null;
    mapped = null;
    if (file != null && file.isOpen()) {
      try {
        file.close();
      } catch (IOException e) {
        // its data is not wanted any more
      }
    }
  }

  /**
   * Gives the memory back now. Java 17 has no public way but the garbage collector's, which does
   * not come while the heap is small, however much is mapped outside it.
   */
  private static void free(ByteBuffer buffer) {
    if (buffer == null) {
      return;
    }
    try {
      Cleaner.INVOKE.invoke(Cleaner.UNSAFE, buffer);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /** sun.misc.Unsafe.invokeCleaner of the module jdk.unsupported. */
  private static final class Cleaner {
    static final Object UNSAFE;
    static final Method INVOKE;

    static {
      try {
        Class<?> type = Class.forName("sun.misc.Unsafe");
        Field field = type.getDeclaredField("theUnsafe");
        field.setAccessible(true);
        UNSAFE = field.get(null);
        INVOKE = type.getMethod("invokeCleaner", ByteBuffer.class);
      } catch (ReflectiveOperationException e) {
        throw new ExceptionInInitializerError(e);
      }
    }
  }
}
