package dev.amanuensis.standalone;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.terminal.Terminal;
import dev.amanuensis.engine.Engine;
import dev.amanuensis.engine.EngineException;
import dev.amanuensis.engine.NpuDevice;
import dev.amanuensis.engine.NpuOptions;
import dev.amanuensis.engine.NpuProgram;
import dev.amanuensis.engine.NpuStatistics;
import dev.amanuensis.model.ModelStore;
import dev.amanuensis.npu.Finding;
import dev.amanuensis.npu.NpuDoctor;
import dev.amanuensis.npu.NpuManifest;
import dev.amanuensis.npu.NpuProduct;
import dev.amanuensis.worker.config.Setting;
import dev.amanuensis.worker.evaluation.EnglishNormalizer;
import dev.amanuensis.worker.evaluation.Wer;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Measures an NPU against the CPU, step by step, and keeps everything for a report. */
final class NpuAcceptance {
  /** Published rate of int8 products on XDNA2 (arXiv 2512.13282), and the marketed peak. */
  private static final double PUBLISHED_TOPS = 38;

  private static final double PEAK_PER_SECOND = 50e12;

  /** The driver suspends the device after 5 s without work. */
  private static final long IDLE_MILLIS = 7_000;

  private static final long BURST_MILLIS = 20_000;

  private final Terminal terminal;
  private final Path artifacts;
  private final Path xrt;
  private final Path speech;
  private final Duration soak;
  private final boolean evenIfBad;
  private final ObjectMapper mapper = new ObjectMapper();
  private final ObjectNode report = mapper.createObjectNode();
  private final int lanes = Runtime.getRuntime().availableProcessors();
  private boolean passed = true;

  NpuAcceptance(
      Terminal terminal, Path artifacts, Path xrt, Path speech, Duration soak, boolean evenIfBad) {
    this.terminal = terminal;
    this.artifacts = artifacts;
    this.xrt = xrt;
    this.speech = speech;
    this.soak = soak;
    this.evenIfBad = evenIfBad;
  }

  /** For example 90s, 30m, 1h. */
  static Duration duration(String text) throws CliException {
    try {
      return Duration.parse("PT" + text.strip().toUpperCase(java.util.Locale.ROOT));
    } catch (java.time.format.DateTimeParseException e) {
      throw new CliException(ExitCodes.USAGE, "'" + text + "' is not a time such as 90s or 30m");
    }
  }

  /** Whether everything is right. */
  boolean run() throws CliException, IOException, InterruptedException {
    report.put("date", LocalDateTime.now().toString());
    report.put("cpu", Engine.cpu().brand());
    report.put("cores", lanes);
    report.put("kernel", System.getProperty("os.version"));
    if (!doctor() && !evenIfBad) {
      return passed = false;
    }
    NpuManifest manifest = NpuManifest.read(artifacts);
    try {
      rates(manifest);
      encoder(manifest);
      transcripts();
    } catch (EngineException e) {
      say("FAILED: " + e.getMessage());
      report.put("failure", e.getMessage());
      passed = false;
    }
    return passed;
  }

  Path write(Path wanted) throws IOException {
    Path file =
        wanted != null
            ? wanted
            : Path.of(
                "npu-report-"
                    + LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmm"))
                    + ".json");
    report.put("passed", passed);
    Files.writeString(
        file, mapper.writerWithDefaultPrettyPrinter().writeValueAsString(report) + "\n");
    return file.toAbsolutePath();
  }

  private void say(String line) {
    terminal.out().println(line);
    terminal.out().flush();
  }

  private boolean doctor() throws IOException {
    List<Finding> findings = new NpuDoctor(artifacts, xrt).examine();
    say("== doctor");
    terminal.out().print(NpuCommand.table(findings));
    report.set("doctor", NpuCommand.nodes(findings));
    boolean healthy = NpuCommand.healthy(findings);
    if (!healthy) {
      say("the doctor found something bad: mend it first");
      passed = false;
    }
    return healthy;
  }

  private void rates(NpuManifest manifest) {
    say("== products on the device, one after another (published: 38 TOPS int8)");
    ArrayNode list = report.putArray("products");
    for (NpuProduct p : manifest.products()) {
      List<NpuProgram> alone = List.of(manifest.program(p));
      try (NpuDevice device = NpuDevice.open(NpuOptions.of(xrt, alone))) {
        rate(list, device, p.shape(), p.m(), p.k(), p.n());
      } catch (EngineException e) {
        list.addObject().put("shape", p.shape()).put("failure", e.getMessage());
        say("  " + p.shape() + "  FAILED: " + e.getMessage());
        passed = false;
      }
    }
    try (NpuDevice device = NpuDevice.open(NpuOptions.of(xrt, manifest.programs()))) {
      rate(list, device, "(1536, 2048, 512) as used", 1536, 2048, 512);
    }
  }

  private void rate(ArrayNode list, NpuDevice device, String shape, long m, long k, long n) {
    double seconds = device.time(m, k, n, 50).toNanos() * 1e-9;
    double tops = 2.0 * m * k * n / seconds * 1e-12;
    list.addObject().put("shape", shape).put("milliseconds", seconds * 1e3).put("tops", tops);
    say(
        "  %-26s %8.3f ms  %6.2f TOPS, %4.1f %% of the published"
            .formatted(shape, seconds * 1e3, tops, 100 * tops / PUBLISHED_TOPS));
  }

  private void encoder(NpuManifest manifest) throws IOException, InterruptedException {
    Path weights = ModelStore.defaultStore().locate().weights();
    say("== encoder and cross-attention K/V, " + lanes + " lanes");
    try (EncoderTrial cpu = new EncoderTrial(weights, null)) {
      List<byte[]> right = cpu.results();
      double cpuMillis = timed(cpu, right, "cpu");
      NpuDevice device = NpuDevice.open(NpuOptions.of(xrt, manifest.programs()).withoutSpill());
      try (EncoderTrial npu = new EncoderTrial(weights, device)) {
        double npuMillis = timed(npu, right, "npu");
        NpuStatistics s = device.statistics();
        say("  speed-up %.2f".formatted(cpuMillis / npuMillis));
        report.set("encoder_statistics", statistics(s));
        if (!soak.isZero()) {
          soak(npu, device, right);
        }
      }
    }
  }

  private double timed(EncoderTrial trial, List<byte[]> right, String name)
      throws InterruptedException {
    trial.run(lanes, 1, right);
    int each = 4;
    PackagePower power = new PackagePower();
    long begun = System.nanoTime();
    int wrong = trial.run(lanes, each, right);
    double millis = (System.nanoTime() - begun) * 1e-6 / (lanes * each);
    ObjectNode node = report.putObject("encoder_" + name);
    node.put("milliseconds_per_window", millis).put("windows_that_differ", wrong);
    node.put("package_watts", power.watts());
    say(
        "  %s: %.1f ms a window, %d windows differ from the CPU%s"
            .formatted(name, millis, wrong, watts(power)));
    passed &= wrong == 0;
    return millis;
  }

  private static String watts(PackagePower power) {
    double watts = power.watts();
    return Double.isNaN(watts) ? "" : ", %.1f W in the package".formatted(watts);
  }

  private ObjectNode statistics(NpuStatistics s) {
    ObjectNode node = mapper.createObjectNode();
    node.put("state", s.state().name()).put("device", s.name()).put("xrt", s.xrt());
    node.put("products", s.products()).put("operations", s.operations());
    node.put("duty", s.duty()).put("efficiency_of_50_tops", s.efficiency(PEAK_PER_SECOND));
    node.put("windows", s.windows()).put("spilled_windows", s.spilledWindows());
    node.put("faults", s.faults()).put("returns", s.returns()).put("timeouts", s.timeouts());
    node.put("wrong_products", s.wrongProducts()).put("cross_checks", s.crossChecks());
    node.put("cpu_products", s.cpuProducts()).put("last_error", s.error());
    node.put("device_window_ms", s.deviceWindowMillis()).put("cpu_window_ms", s.cpuWindowMillis());
    return node;
  }

  /** Bursts of work with gaps in which the driver suspends the device. */
  private void soak(EncoderTrial trial, NpuDevice device, List<byte[]> right)
      throws InterruptedException {
    say(
        "== soak for "
            + soak.toSeconds()
            + " s: bursts, and gaps in which the device is suspended");
    PackagePower power = new PackagePower();
    long end = System.nanoTime() + soak.toNanos();
    long windows = 0;
    long wrong = 0;
    for (int burst = 1; System.nanoTime() < end; burst++) {
      long until = Math.min(end, System.nanoTime() + BURST_MILLIS * 1_000_000);
      while (System.nanoTime() < until) {
        wrong += trial.run(lanes, 2, right);
        windows += 2L * lanes;
      }
      NpuStatistics s = device.statistics();
      say(
          "  burst %d: %d windows, %d differ, %d faults, duty %.0f %%, state %s"
              .formatted(burst, windows, wrong, s.faults(), 100 * s.duty(), s.state()));
      long left = (end - System.nanoTime()) / 1_000_000;
      Thread.sleep(Math.max(0, Math.min(left, burst % 5 == 0 ? 4 * IDLE_MILLIS : IDLE_MILLIS)));
    }
    ObjectNode node = report.putObject("soak");
    node.put("seconds", soak.toSeconds()).put("windows", windows).put("windows_that_differ", wrong);
    node.put("package_watts", power.watts());
    NpuStatistics s = device.statistics();
    node.set("statistics", statistics(s));
    passed &= wrong == 0 && s.state() == NpuStatistics.State.READY;
  }

  // ---- transcripts, by the program itself

  private void transcripts() throws IOException, InterruptedException {
    Path folder = speech != null ? speech : sourceSpeech();
    say("== transcripts of the project's speech");
    if (folder == null || !Files.isRegularFile(folder.resolve("golden/transcripts.json"))) {
      say("  SKIPPED: no golden/transcripts.json; name its folder with --speech");
      report.put("transcripts", "skipped: no speech");
      passed = false;
      return;
    }
    JsonNode golden = mapper.readTree(folder.resolve("golden/transcripts.json").toFile());
    List<String> names = new ArrayList<>();
    golden.fieldNames().forEachRemaining(names::add);
    Map<String, String> cpu = transcribe("cpu", folder, names);
    Map<String, String> npu = transcribe("xdna2", folder, names);
    ObjectNode node = report.putObject("transcripts");
    int differ = 0;
    Wer cpuWer = new Wer(new EnglishNormalizer());
    Wer npuWer = new Wer(new EnglishNormalizer());
    for (String name : names) {
      String a = cpu.getOrDefault(name, "");
      String b = npu.getOrDefault(name, "");
      differ += a.equals(b) ? 0 : 1;
      if (!golden.path(name).path("plain").path("language").asText("").equals("en")) {
        continue;
      }
      String reference = golden.path(name).path("plain").path("text").asText();
      cpuWer.add(reference, a);
      npuWer.add(reference, b);
    }
    node.put("files", names.size()).put("files_that_differ", differ);
    node.put("wer_cpu", cpuWer.rate()).put("wer_npu", npuWer.rate());
    passed &= differ == 0 && cpu.size() == names.size() && npu.size() == names.size();
    say(
        "  %d files, %d differ; English WER against openai/whisper: CPU %.2f %%, NPU %.2f %%"
            .formatted(names.size(), differ, 100 * cpuWer.rate(), 100 * npuWer.rate()));
  }

  /** The source tree's: the one that this program was built in, or the current directory's. */
  private static Path sourceSpeech() {
    List<Path> places = new ArrayList<>(List.of(Path.of("").toAbsolutePath()));
    try {
      places.add(
          Path.of(NpuAcceptance.class.getProtectionDomain().getCodeSource().getLocation().toURI()));
    } catch (URISyntaxException | RuntimeException e) {
      // not from a file: the current directory alone
    }
    for (Path place : places) {
      for (Path p = place; p != null; p = p.getParent()) {
        Path candidate = p.resolve("worker/src/test/resources");
        if (Files.isDirectory(candidate)) {
          return candidate;
        }
      }
    }
    return null;
  }

  private Map<String, String> transcribe(String device, Path folder, List<String> names)
      throws IOException, InterruptedException {
    Path output = Files.createTempDirectory("npu-accept");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of("transcribe", "--temperature", "0", "--format", "txt"));
    command.addAll(List.of("--output", output.toString()));
    Path audio = Files.isDirectory(folder.resolve("speech")) ? folder.resolve("speech") : folder;
    names.forEach(name -> command.add(audio.resolve(name).toString()));
    Path log = output.resolve("log");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    Map<String, String> environment = builder.environment();
    environment.put(Setting.DEVICE.variable(), device);
    // every window to the device: this is about its results, not about speed
    environment.put(Setting.NPU_SPILL.variable(), "false");
    environment.put(Setting.NPU_MAX_WINDOWS.variable(), "1024");
    environment.put(Setting.NPU_ARTIFACTS.variable(), artifacts.toString());
    environment.put(Setting.NPU_XRT_LIBRARY.variable(), xrt == null ? "" : xrt.toString());
    int code = builder.start().waitFor();
    if (code != ExitCodes.OK) {
      say("  transcribe with device=" + device + " ended with code " + code + ": " + log);
    }
    Map<String, String> texts = new HashMap<>();
    for (String name : names) {
      String stem = Path.of(name).getFileName().toString().replaceFirst("\\.[^.]*$", "");
      try (Stream<Path> files = Files.walk(output)) {
        for (Path file :
            files.filter(f -> f.getFileName().toString().startsWith(stem + ".")).toList()) {
          texts.put(name, Files.readString(file).strip());
        }
      }
    }
    return texts;
  }
}
