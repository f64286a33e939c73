package dev.amanuensis.cli;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** What went wrong with a file, in words: the messages of these exceptions are mere paths. */
public final class FileFailures {
  private FileFailures() {}

  /** For example "permission denied: /srv/x". */
  public static String reason(IOException e) {
    if (e instanceof FileSystemException file) {
      String what = what(file);
      if (what != null) {
        return what + ": " + file.getFile();
      }
    }
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }

  private static String what(FileSystemException e) {
    if (e instanceof NoSuchFileException) {
      return "no such file or directory";
    }
    if (e instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof FileAlreadyExistsException) {
      return "something else is there";
    }
    return e.getReason();
  }
}
