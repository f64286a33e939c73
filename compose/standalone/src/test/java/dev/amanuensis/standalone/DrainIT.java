package dev.amanuensis.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.kafka.KafkaTarget;
import dev.amanuensis.standalone.Commands.Result;
import dev.amanuensis.worker.config.Setting;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** SIGTERM for a worker process that has a job in work. */
class DrainIT {
  private static final long WINDOW_MICROS = 6_000_000;
  private static final long TAKEN_MILLIS = 4_000;

  @TempDir Path data;

  @Test
  void jobInFlightIsFinishedAndTheProcessExitsWithZero() throws Exception {
    Map<String, String> settings = Map.of(Setting.DEVICE.key(), "simulated");
    try (Fleet fleet = Fleet.start(new Fleet.Plan(data, 0, 0, settings))) {
      fleet.stopWorker();
      Process worker = worker(fleet.target());
      try {
        BufferedReader err =
            new BufferedReader(
                new InputStreamReader(worker.getErrorStream(), StandardCharsets.UTF_8));
        String line;
        do {
          line = err.readLine();
          assertThat(line).as("the worker's output").isNotNull();
        } while (!line.contains("worker is ready"));
        Result submitted = run(fleet.target(), "submit", Commands.JFK);
        assertThat(submitted.code()).as(submitted.err()).isEqualTo(ExitCodes.OK);
        Thread.sleep(TAKEN_MILLIS); // it is on the device now, for some seconds more
        worker.destroy();
        assertThat(worker.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(worker.exitValue()).isZero();
        Result watched = run(fleet.target(), "watch", "--from-beginning", "--max=1");
        assertThat(watched.out()).contains("[simulated ");
      } finally {
        worker.destroyForcibly();
      }
    }
  }

  private static Process worker(KafkaTarget target) throws Exception {
    return Commands.process(
            "worker",
            target,
            "--set",
            "device=simulated",
            "--set",
            "device.simulated.window.micros=" + WINDOW_MICROS)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  private static Result run(KafkaTarget target, String command, Object... more) {
    Object[] arguments = new Object[5 + more.length];
    arguments[0] = command;
    arguments[1] = "-b";
    arguments[2] = target.bootstrapServers();
    arguments[3] = "--schema-registry";
    arguments[4] = target.registryUrl();
    System.arraycopy(more, 0, arguments, 5, more.length);
    return Commands.run(arguments);
  }
}
