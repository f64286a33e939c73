package dev.amanuensis.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.amanuensis.cli.terminal.Terminal;
import java.io.ByteArrayOutputStream;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;

class CommandRunnerTest {
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @Command(name = "fails")
  private record Failing(Throwable failure) implements Callable<Integer> {
    @Override
    public Integer call() throws Exception {
      if (failure instanceof Error error) {
        throw error;
      }
      throw (Exception) failure;
    }
  }

  private int run(Throwable failure) {
    Terminal terminal = new Terminal(new ByteArrayOutputStream(), err, false, false, false);
    return new CommandRunner(new CommandLine(new Failing(failure)), terminal, () -> false).run();
  }

  @Test
  void whatNobodyExpectedIsAnInternalErrorWithoutAStackTrace() {
    assertThat(run(new IllegalStateException("odd"))).isEqualTo(ExitCodes.INTERNAL);
    assertThat(run(new NoClassDefFoundError("odd/Type"))).isEqualTo(ExitCodes.INTERNAL);
    assertThat(err.toString())
        .contains("IllegalStateException: odd; --verbose tells where")
        .contains("NoClassDefFoundError: odd/Type; --verbose tells where")
        .doesNotContain("\tat ");
  }

  @Test
  void knownFailureHasItsOwnCode() {
    assertThat(run(new CliException(ExitCodes.MODEL, "no model"))).isEqualTo(ExitCodes.MODEL);
    assertThat(run(new InterruptedException())).isEqualTo(ExitCodes.INTERRUPTED);
    assertThat(err.toString()).isEqualTo("error: no model\nerror: interrupted\n");
  }
}
