package dev.amanuensis.worker.admin;

import io.javalin.config.JavalinConfig;

/** Something that is served on the admin server's port. */
@FunctionalInterface
public interface Routes {
  /** Called once, before the server starts. */
  void addTo(JavalinConfig config);
}
