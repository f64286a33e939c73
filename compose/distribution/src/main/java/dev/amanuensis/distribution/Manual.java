package dev.amanuensis.distribution;

import dev.amanuensis.cli.terminal.Terminal;
import dev.amanuensis.standalone.Main;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.codegen.docgen.manpage.ManPageGenerator;

/**
 * Writes what a distribution says about its commands: a shell completion script and a man page, in
 * AsciiDoc, for each command. Run by the build.
 */
public final class Manual {
  private Manual() {}

  /**
   * @param arguments the directory to write to
   */
  public static void main(String[] arguments) throws IOException {
    Path directory = Path.of(arguments[0]);
    Path completion = Files.createDirectories(directory.resolve("completion"));
    CommandLine root = Main.commandLine(Terminal.ofProcess(System.getenv()));
    Files.writeString(completion.resolve("amanuensis.bash"), AutoComplete.bash("amanuensis", root));
    List<CommandSpec> specs = new ArrayList<>();
    collect(root, specs);
    File pages = Files.createDirectories(directory.resolve("adoc")).toFile();
    ManPageGenerator.generateManPage(
        pages, null, new boolean[0], true, specs.toArray(CommandSpec[]::new));
  }

  private static void collect(CommandLine command, List<CommandSpec> specs) {
    specs.add(command.getCommandSpec());
    command.getSubcommands().values().stream().distinct().forEach(sub -> collect(sub, specs));
  }
}
