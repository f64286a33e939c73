package dev.amanuensis.worker.buffers;

import dev.amanuensis.engine.NativeBuffer;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/** A lease from the pool beside a buffer that is allocated and freed each time. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class BufferPoolBenchmark {
  /** A mel window or 30 s of PCM; encoder states. */
  @Param({"960000", "3072000"})
  int bytes;

  private BufferManager manager;

  @Setup
  public void open() {
    manager = new BufferManager(BufferConfig.defaults(bytes, 4096, 4096, 4096, 1, 1));
  }

  @TearDown
  public void close() {
    manager.close();
  }

  @Benchmark
  @Threads(1)
  public long pooled() throws InterruptedException {
    return lease();
  }

  @Benchmark
  @Threads(4)
  public long pooledByFourThreads() throws InterruptedException {
    return lease();
  }

  private long lease() throws InterruptedException {
    try (Lease lease = manager.acquire(Pool.MEL, "benchmark")) {
      return lease.buffer().address();
    }
  }

  /** Zeroed, as malloc's memory must be before anybody reads it. */
  @Benchmark
  @Threads(1)
  public long allocated() {
    try (NativeBuffer buffer = NativeBuffer.allocate(bytes)) {
      return buffer.address();
    }
  }

  /** Freed by the garbage collector. */
  @Benchmark
  @Threads(1)
  public ByteBuffer allocatedDirect() {
    return ByteBuffer.allocateDirect(bytes);
  }
}
