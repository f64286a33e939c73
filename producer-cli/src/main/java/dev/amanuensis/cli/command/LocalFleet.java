package dev.amanuensis.cli.command;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.cli.terminal.StatusLine;
import java.nio.file.Path;
import java.util.List;

/**
 * A broker, a registry and a worker in this JVM. Commands know no more of them than this; the
 * program that mounts the commands brings the real thing.
 */
public interface LocalFleet extends AutoCloseable {
  /** Where clients connect to. Reachable as soon as the fleet was started. */
  KafkaTarget target();

  /**
   * Throws what ended the worker, if anything did: it starts while the first jobs are submitted, so
   * a damaged model shows here.
   */
  void check() throws CliException;

  /** What the worker is doing before it takes jobs ("loading the model"), or null once it does. */
  String starting();

  @Override
  void close();

  /** Starts a fleet; returns once broker and registry serve. */
  interface Starter {
    /**
     * @throws CliException if it can't be started; nothing is left running then
     */
    LocalFleet start(Request request, StatusLine status) throws CliException, InterruptedException;
  }

  /**
   * What the user asks of the fleet.
   *
   * @param profile of the model's arithmetic, or null for the default
   * @param modelDirectory or null for the default
   * @param dataDirectory of the broker, or null for one that is gone at the end
   * @param allowedRoots directories that the worker may read files from
   */
  record Request(String profile, Path modelDirectory, Path dataDirectory, List<Path> allowedRoots) {
    public Request {
      allowedRoots = List.copyOf(allowedRoots);
    }
  }
}
