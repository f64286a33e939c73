package dev.amanuensis.model;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/** One fetcher at a time for a directory, among the processes and the threads of a machine. */
final class StoreLock implements AutoCloseable {
  // File locks belong to the whole JVM, so its own threads need a lock of their own.
  private static final Map<Path, ReentrantLock> THREADS = new ConcurrentHashMap<>();

  private final ReentrantLock threadLock;
  private final FileChannel channel;

  private StoreLock(ReentrantLock threadLock, FileChannel channel) {
    this.threadLock = threadLock;
    this.channel = channel;
  }

  /** Waits until the lock is free. The lock file stays behind: deleting it would race. */
  static StoreLock acquire(Path lockFile, FetchProgress progress) throws ModelException {
    ReentrantLock threadLock =
        THREADS.computeIfAbsent(lockFile.toAbsolutePath().normalize(), p -> new ReentrantLock());
    FileChannel channel = null;
    boolean held = false;
    try {
      threadLock.lockInterruptibly();
      held = true;
      Files.createDirectories(lockFile.toAbsolutePath().getParent());
      channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      FileLock lock = channel.tryLock();
      if (lock == null) {
        progress.note("another process fetches the model; waiting for it");
        channel.lock();
      }
      return new StoreLock(threadLock, channel);
    } catch (InterruptedException e) {
      throw ModelException.interrupted("waiting for " + lockFile);
    } catch (IOException e) {
      release(channel, held ? threadLock : null);
      throw ModelException.of("can't lock " + lockFile, e);
    }
  }

  @Override
  public void close() {
    release(channel, threadLock);
  }

  private static void release(FileChannel channel, ReentrantLock threadLock) {
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      // The lock ends with the process at the latest; there is nothing else to do about it.
    } finally {
      if (threadLock != null) {
        threadLock.unlock();
      }
    }
  }
}
