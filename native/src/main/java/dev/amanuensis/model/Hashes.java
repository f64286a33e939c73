package dev.amanuensis.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 of files. */
final class Hashes {
  private static final int BLOCK = 1 << 18;

  private Hashes() {}

  static String sha256(Path file) throws IOException {
    MessageDigest digest = newSha256();
    // A heap buffer: the JDK's accelerated SHA-256 works on arrays.
    ByteBuffer block = ByteBuffer.allocate(BLOCK);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      while (channel.read(block.clear()) >= 0) {
        digest.update(block.flip());
      }
    }
    return hex(digest);
  }

  static MessageDigest newSha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  static String hex(MessageDigest digest) {
    return HexFormat.of().formatHex(digest.digest());
  }
}
