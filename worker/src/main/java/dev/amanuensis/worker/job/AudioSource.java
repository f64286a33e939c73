package dev.amanuensis.worker.job;

import java.net.URI;
import java.nio.ByteBuffer;

/** Where the bytes of a job's audio are. */
public sealed interface AudioSource {
  /** Lower-case hex sha256 that the bytes must have, or null if the producer gave none. */
  String sha256();

  /** Bytes that travelled inside the Kafka record. */
  record Inline(ByteBuffer bytes, String sha256) implements AudioSource {}

  /** A claim check: the bytes are fetched by the prepare stage. */
  record Reference(URI uri, String sha256) implements AudioSource {}
}
