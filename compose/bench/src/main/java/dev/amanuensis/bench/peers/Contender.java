package dev.amanuensis.bench.peers;

import dev.amanuensis.cli.CliException;
import java.util.List;

/**
 * An engine in one configuration.
 *
 * @param id as {@code --peers} names it
 * @param title for the table
 * @param ours whether it is this project's engine
 * @param start the command line of its runner; may install and convert first
 */
record Contender(String id, String title, boolean ours, Start start) {
  /** Makes the command line. */
  interface Start {
    List<String> command() throws CliException, InterruptedException;
  }
}
