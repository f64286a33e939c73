package dev.amanuensis.worker;

import dev.amanuensis.worker.config.WorkerConfig;
import dev.amanuensis.worker.intake.Trials;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Trials in child JVMs like this one ({@link TrialMain}): same class path, options and settings. A
 * child that does not survive this worker ends too. Thread-safe.
 */
final class TrialProcesses implements Trials {
  private static final Logger LOG = LoggerFactory.getLogger(TrialProcesses.class);

  /** What has not crashed by then is tried in the worker. */
  private static final long LIMIT_SECONDS = 300;

  private final WorkerConfig config;
  private final Set<Process> running = ConcurrentHashMap.newKeySet();

  TrialProcesses(WorkerConfig config) {
    this.config = config;
  }

  @Override
  public Future<Boolean> start(byte[] record) {
    CompletableFuture<Boolean> survived = new CompletableFuture<>();
    Thread thread = new Thread(() -> survived.complete(run(record)), "trial");
    thread.setDaemon(true);
    thread.start();
    return survived;
  }

  private boolean run(byte[] record) {
    Process child = null;
    try {
      child = launch();
      running.add(child);
      // The child's input stays open: its end tells the child that this worker is gone.
      DataOutputStream to = new DataOutputStream(child.getOutputStream());
      Map<String, String> settings = config.toMap();
      to.writeInt(settings.size());
      for (Map.Entry<String, String> s : settings.entrySet()) {
        to.writeUTF(s.getKey());
        to.writeUTF(s.getValue());
      }
      to.writeInt(record.length);
      to.write(record);
      to.flush();
      if (!child.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
        LOG.warn("a trial still runs after {} s: that is survival", LIMIT_SECONDS);
        return true;
      }
      // A crashed JVM may exit with 1, as one that could not start: the difference is the job.
      String said = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      boolean begun = said.contains(TrialMain.BEGUN);
      LOG.info("a trial ended with exit code {}, begun: {}", child.exitValue(), begun);
      return !begun || child.exitValue() == 0;
    } catch (IOException e) {
      LOG.warn("a trial can't be made: {}", e.toString());
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return true;
    } finally {
      if (child != null) {
        running.remove(child);
        child.destroyForcibly();
      }
    }
  }

  private static Process launch() throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    for (String option : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      if (!option.startsWith("-agentlib") && !option.startsWith("-javaagent")) {
        command.add(option);
      }
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(TrialMain.class.getName());
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  @Override
  public void close() {
    running.forEach(Process::destroyForcibly);
  }
}
