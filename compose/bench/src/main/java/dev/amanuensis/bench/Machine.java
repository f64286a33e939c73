package dev.amanuensis.bench;

import dev.amanuensis.engine.CpuInfo;
import dev.amanuensis.engine.Engine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The machine that a result belongs to.
 *
 * @param cpu model name as the system gives it
 * @param family family, model and stepping: virtual machines often hide the name
 * @param isa instruction sets that decide about speed, as the engine sees them
 */
public record Machine(String cpu, String family, int cores, String isa, long memoryBytes) {
  public static Machine here() {
    CpuInfo info = Engine.cpu();
    List<String> lines = lines(Path.of("/proc/cpuinfo"));
    String memory = value(lines(Path.of("/proc/meminfo")), "MemTotal");
    return new Machine(
        info.brand().isBlank() ? value(lines, "model name") : info.brand().strip(),
        "family %s model %s stepping %s"
            .formatted(value(lines, "cpu family"), value(lines, "model"), value(lines, "stepping")),
        Runtime.getRuntime().availableProcessors(),
        info.isa().strip(),
        memory.isEmpty() ? 0 : Long.parseLong(memory.replaceAll("\\D", "")) * 1024);
  }

  /** One line for people. */
  public String describe() {
    return "%s (%s), %d cores, %s, %.0f GiB"
        .formatted(cpu, family, cores, isa, memoryBytes / (double) (1L << 30));
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      return List.of();
    }
  }

  private static String value(List<String> lines, String key) {
    for (String line : lines) {
      int colon = line.indexOf(':');
      if (colon > 0 && line.substring(0, colon).strip().equals(key)) {
        return line.substring(colon + 1).strip();
      }
    }
    return "";
  }
}
