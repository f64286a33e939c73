package dev.amanuensis.standalone;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;

/**
 * What an acceptance found, in a file that is written again after each step: a machine that hangs
 * under it leaves what was known by then.
 */
final class AcceptanceReport {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final ObjectNode root = MAPPER.createObjectNode();
  private final Path file;

  /**
   * @param file null: npu-report-DATE.json in the current directory
   */
  AcceptanceReport(Path file) {
    LocalDateTime now = LocalDateTime.now();
    String name =
        "npu-report-" + now.format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmm")) + ".json";
    this.file = (file != null ? file : Path.of(name)).toAbsolutePath();
    root.put("date", now.toString());
  }

  ObjectNode root() {
    return root;
  }

  Path file() {
    return file;
  }

  /**
   * @param step that is under way; null: it is finished
   */
  void save(NpuVerdict verdict, String step) throws IOException {
    root.put("passed", step == null && verdict.accepted());
    ArrayNode reasons = root.putArray("not_accepted_because");
    verdict.reasons().forEach(reasons::add);
    if (step == null) {
      root.remove("unfinished");
    } else {
      root.put("unfinished", step);
    }
    Files.writeString(
        file, MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n");
  }
}
