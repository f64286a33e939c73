package dev.amanuensis.worker.source.reference;

import dev.amanuensis.worker.job.ErrorCode;
import dev.amanuensis.worker.job.JobException;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributeView;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;

/**
 * Reads files under the allowed roots. The path is resolved, held against the roots, and then
 * walked once more from the root downwards, one open directory after the other, following no
 * symbolic link (openat with O_NOFOLLOW): whoever swaps a directory for a link in between gets an
 * error and not the link's target.
 */
final class FileFetcher implements Fetcher {
  private static final int BLOCK = 1 << 18;

  private final List<Path> roots;

  FileFetcher(List<Path> roots) {
    this.roots = roots;
  }

  @Override
  public void fetch(URI uri, AudioCopy into) throws JobException, IOException {
    Path named = path(uri);
    boolean mayKnow =
        roots.stream().anyMatch(r -> named.normalize().startsWith(r.toAbsolutePath().normalize()));
    SeekableByteChannel file;
    try {
      file = open(named);
    } catch (ClosedByInterruptException e) {
      throw e;
    } catch (IOException e) {
      // Outside the roots nobody learns whether a file exists.
      throw mayKnow ? unreadable(e) : forbidden();
    }
    try (file) {
      copy(file, into);
    }
  }

  private static Path path(URI uri) throws JobException {
    boolean local = uri.getHost() == null || uri.getHost().isEmpty();
    if (uri.getPath() == null || !uri.getPath().startsWith("/") || !local) {
      throw new JobException(
          ErrorCode.SOURCE_FORBIDDEN, "a file: reference must be file:///an/absolute/path");
    }
    try {
      return Path.of(uri.getPath());
    } catch (IllegalArgumentException e) {
      throw new JobException(ErrorCode.SOURCE_FORBIDDEN, "not a file: " + e.getMessage(), e);
    }
  }

  private SeekableByteChannel open(Path named) throws JobException, IOException {
    Path real = named.toRealPath();
    for (Path root : roots) {
      if (Files.isDirectory(root)) {
        Path realRoot = root.toRealPath();
        if (real.startsWith(realRoot)) {
          return openBelow(realRoot, realRoot.relativize(real));
        }
      }
    }
    throw forbidden();
  }

  private static SeekableByteChannel openBelow(Path root, Path relative)
      throws JobException, IOException {
    Deque<DirectoryStream<Path>> open = new ArrayDeque<>();
    try {
      open.push(Files.newDirectoryStream(root));
      for (Path name : relative.getParent() == null ? List.<Path>of() : relative.getParent()) {
        open.push(secure(open.peek()).newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS));
      }
      SecureDirectoryStream<Path> directory = secure(open.peek());
      Path name = relative.getFileName();
      boolean regular =
          !name.toString().isEmpty()
              && directory
                  .getFileAttributeView(
                      name, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                  .readAttributes()
                  .isRegularFile();
      if (!regular) {
        // Checked before opening: opening a named pipe would wait for its writer.
        throw new JobException(
            ErrorCode.SOURCE_REFUSED, "the reference is not a regular file: " + name);
      }
      return directory.newByteChannel(
          name, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS));
    } finally {
      for (DirectoryStream<Path> directory : open) {
        directory.close();
      }
    }
  }

  /** Linux has them for every directory. */
  private static SecureDirectoryStream<Path> secure(DirectoryStream<Path> directory)
      throws IOException {
    if (directory instanceof SecureDirectoryStream<Path> secure) {
      return secure;
    }
    throw new IOException("this file system has no openat()");
  }

  private static void copy(SeekableByteChannel file, AudioCopy into)
      throws JobException, IOException {
    ByteBuffer block = ByteBuffer.allocate(BLOCK);
    try {
      into.checkSize(file.size());
      while (read(file, block.clear()) >= 0) {
        into.write(block.flip());
      }
    } catch (SourceException e) {
      throw unreadable(e.getCause());
    }
  }

  private static int read(SeekableByteChannel file, ByteBuffer block)
      throws ClosedByInterruptException, SourceException {
    try {
      return file.read(block);
    } catch (ClosedByInterruptException e) {
      throw e;
    } catch (IOException e) {
      throw new SourceException(e); // the source's failure, not that of the disk we write to
    }
  }

  private static final class SourceException extends Exception {
    private static final long serialVersionUID = 1L;

    SourceException(IOException cause) {
      super(cause);
    }
  }

  private static JobException unreadable(Throwable e) {
    ErrorCode code =
        e instanceof NoSuchFileException
            ? ErrorCode.SOURCE_NOT_FOUND
            : ErrorCode.SOURCE_UNAVAILABLE;
    return new JobException(code, "the referenced file can't be read: " + e, e);
  }

  private static JobException forbidden() {
    return new JobException(
        ErrorCode.SOURCE_FORBIDDEN,
        "the referenced file is not under a root that this worker may read; its --allow-root"
            + " (source.allowed.roots) names them");
  }
}
