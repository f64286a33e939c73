package dev.amanuensis.broker;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.MetadataVersion;

/** The broker's data folder. */
final class BrokerStorage {
  private static final String META_PROPERTIES = "meta.properties";

  private BrokerStorage() {}

  /** Formats an empty folder. One that was formatted is left alone; any other is refused. */
  static void formatIfNew(Path directory) throws IOException {
    formatIfNew(directory, BrokerSettings.NODE_ID, Uuid.randomUuid().toString());
  }

  /**
   * As {@link #formatIfNew(Path)}, for a node of a cluster.
   *
   * @param clusterId the same for all its nodes
   */
  static void formatIfNew(Path directory, int nodeId, String clusterId) throws IOException {
    Files.createDirectories(directory);
    if (Files.exists(directory.resolve(META_PROPERTIES))) {
      return;
    }
    try (Stream<Path> content = Files.list(directory)) {
      if (content.findAny().isPresent()) {
        throw new IOException(
            directory + " holds something that is not a broker's data; name an empty folder");
      }
    }
    try (PrintStream nowhere =
        new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8)) {
      new Formatter()
          .setPrintStream(nowhere)
          .setNodeId(nodeId)
          .setClusterId(clusterId)
          .setControllerListenerName(BrokerSettings.CONTROLLER_LISTENER)
          .setReleaseVersion(MetadataVersion.latestProduction())
          .setMetadataLogDirectory(directory.toString())
          .addDirectory(directory.toString())
          .run();
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException("the broker's folder " + directory + " can't be formatted: " + e, e);
    }
  }
}
