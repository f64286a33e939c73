package dev.amanuensis.cli.kafka;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Uploads to S3-compatible storage as {@code PREFIX/JOB-ID/FILE}; owns the storage's client. */
public record S3Upload(S3Storage storage) implements Placement.Upload {
  @Override
  public String upload(String id, Path file, String contentType) throws IOException {
    return storage
        .put(
            id + "/" + file.getFileName(),
            contentType,
            Files.size(file),
            () -> Files.newInputStream(file))
        .toASCIIString();
  }

  @Override
  public void close() {
    storage.close();
  }
}
