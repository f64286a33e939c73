package dev.amanuensis.worker.admin;

import dev.amanuensis.worker.config.Setting;
import dev.amanuensis.worker.config.WorkerConfig;
import java.util.List;
import java.util.Optional;

/**
 * Where the admin server listens.
 *
 * @param host address to bind
 * @param port 0 for a free one
 * @param fallBack take a free port where {@code port} is taken: nobody asked for that very one
 * @param allowedHosts names that the Host header may have beside the loopback's
 */
public record AdminConfig(String host, int port, boolean fallBack, List<String> allowedHosts) {
  public AdminConfig {
    allowedHosts = List.copyOf(allowedHosts);
  }

  /** Empty: no server is wanted. */
  public static Optional<AdminConfig> of(WorkerConfig config) {
    String port = config.text(Setting.ADMIN_PORT);
    if (port.equals("off")) {
      return Optional.empty();
    }
    return Optional.of(
        new AdminConfig(
            config.text(Setting.ADMIN_HOST),
            Integer.parseInt(port),
            !config.isGiven(Setting.ADMIN_PORT),
            config.list(Setting.ADMIN_ALLOWED_HOSTS)));
  }
}
