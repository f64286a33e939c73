package dev.amanuensis.standalone;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.amanuensis.bench.InProcess;
import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.terminal.Terminal;
import dev.amanuensis.engine.Engine;
import dev.amanuensis.engine.EngineException;
import dev.amanuensis.engine.EngineOptions;
import dev.amanuensis.engine.NpuDevice;
import dev.amanuensis.engine.NpuOptions;
import dev.amanuensis.engine.NpuProgram;
import dev.amanuensis.engine.NpuStatistics;
import dev.amanuensis.engine.Profile;
import dev.amanuensis.model.ModelFiles;
import dev.amanuensis.model.ModelStore;
import dev.amanuensis.npu.Finding;
import dev.amanuensis.npu.NpuManifest;
import dev.amanuensis.npu.NpuProduct;
import dev.amanuensis.worker.evaluation.EnglishNormalizer;
import dev.amanuensis.worker.evaluation.Wer;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.TranscriptionOptions;
import dev.amanuensis.worker.job.TranscriptionResult;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Measures an NPU against the CPU, step by step, and keeps everything for a report. */
final class NpuAcceptance {
  /** Published rate of int8 products on XDNA2 (arXiv 2512.13282), and the marketed peak. */
  private static final double PUBLISHED_TOPS = 38;

  private static final double PEAK_PER_SECOND = 50e12;

  /** Looks at the machine. */
  interface Doctor {
    List<Finding> examine() throws IOException;
  }

  /** A part of it. */
  private interface Step {
    void run() throws IOException, InterruptedException;
  }

  /**
   * How much is done.
   *
   * @param repeats of each product
   * @param windows of each lane, of the encoder
   */
  record Effort(int repeats, int windows, Duration soak) {}

  private final Terminal terminal;
  private final Path artifacts;
  private final Path xrt;
  private final Path speech;
  private final Effort effort;
  private final boolean evenIfBad;
  private final AcceptanceReport report;
  private final NpuVerdict verdict = new NpuVerdict();
  private final int lanes = Runtime.getRuntime().availableProcessors();

  NpuAcceptance(
      Terminal terminal,
      Path artifacts,
      Path xrt,
      Path speech,
      Effort effort,
      boolean evenIfBad,
      AcceptanceReport report) {
    this.terminal = terminal;
    this.artifacts = artifacts;
    this.xrt = xrt;
    this.speech = speech;
    this.effort = effort;
    this.evenIfBad = evenIfBad;
    this.report = report;
  }

  /** For example 90s, 30m, 1h. */
  static Duration duration(String text) throws CliException {
    try {
      return Duration.parse("PT" + text.strip().toUpperCase(java.util.Locale.ROOT));
    } catch (java.time.format.DateTimeParseException e) {
      throw new CliException(ExitCodes.USAGE, "'" + text + "' is not a time such as 90s or 30m");
    }
  }

  /** Why it is not accepted; empty if it is. The report is written, whatever happens. */
  List<String> run(Doctor doctor) throws IOException, InterruptedException {
    report.root().put("cpu", Engine.cpu().brand());
    report.root().put("cores", lanes).put("kernel", System.getProperty("os.version"));
    try {
      step("doctor", () -> doctor(doctor.examine()));
      if (verdict.accepted() || evenIfBad) {
        NpuManifest manifest = NpuManifest.read(artifacts);
        step("products", () -> rates(manifest));
        step("encoder", () -> encoder(manifest));
        step("transcripts", () -> transcripts(manifest));
      }
    } catch (IOException | InterruptedException | RuntimeException e) {
      verdict.fail("interrupted", e.toString());
      throw e;
    } finally {
      report.save(verdict, null);
    }
    return verdict.reasons();
  }

  private void step(String name, Step step) throws IOException, InterruptedException {
    report.save(verdict, name);
    try {
      step.run();
    } catch (EngineException e) {
      say("FAILED: " + e.getMessage());
      verdict.fail(name, e.getMessage());
    }
  }

  private void say(String line) {
    terminal.out().println(line);
    terminal.out().flush();
  }

  private void doctor(List<Finding> findings) {
    say("== doctor");
    terminal.out().print(NpuCommand.table(findings));
    report.root().set("doctor", NpuCommand.nodes(findings));
    if (!NpuCommand.healthy(findings)) {
      say("the doctor found something bad: mend it first");
      verdict.fail("doctor", "something is bad");
    }
  }

  private NpuDevice open(List<NpuProgram> programs) {
    return NpuDevice.open(NpuOptions.of(xrt, programs).withoutSpill());
  }

  private void rates(NpuManifest manifest) {
    say("== products on the device, one after another (published: 38 TOPS int8)");
    ArrayNode list = report.root().putArray("products");
    for (NpuProduct p : manifest.products()) {
      List<NpuProgram> alone = List.of(manifest.program(p));
      try (NpuDevice device = open(alone)) {
        rate(list, device, p.shape(), p.m(), p.k(), p.n());
      } catch (EngineException e) {
        list.addObject().put("shape", p.shape()).put("failure", e.getMessage());
        say("  " + p.shape() + "  FAILED: " + e.getMessage());
        verdict.fail("product " + p.shape(), e.getMessage());
      }
    }
    try (NpuDevice device = open(manifest.programs())) {
      rate(list, device, "(1536, 2048, 512) as used", 1536, 2048, 512);
    }
  }

  private void rate(ArrayNode list, NpuDevice device, String shape, long m, long k, long n) {
    double seconds = device.time(m, k, n, effort.repeats()).toNanos() * 1e-9;
    double tops = 2.0 * m * k * n / seconds * 1e-12;
    list.addObject().put("shape", shape).put("milliseconds", seconds * 1e3).put("tops", tops);
    say(
        "  %-26s %8.3f ms  %6.2f TOPS, %4.1f %% of the published"
            .formatted(shape, seconds * 1e3, tops, 100 * tops / PUBLISHED_TOPS));
    verdict.faultless("product " + shape, null, device.statistics());
  }

  private void encoder(NpuManifest manifest) throws IOException, InterruptedException {
    Path weights = ModelStore.defaultStore().locate().weights();
    say("== encoder and cross-attention K/V, " + lanes + " lanes");
    try (EncoderTrial cpu = new EncoderTrial(weights, null)) {
      List<byte[]> right = cpu.results();
      double cpuMillis = timed(cpu, right, "cpu");
      NpuDevice device = open(manifest.programs());
      try (EncoderTrial npu = new EncoderTrial(weights, device)) {
        double npuMillis = timed(npu, right, "npu");
        NpuStatistics s = device.statistics();
        say("  speed-up %.2f".formatted(cpuMillis / npuMillis));
        report.root().set("encoder_statistics", statistics(s));
        verdict.complete("encoder", null, s, (long) lanes * (1 + effort.windows()));
        if (!effort.soak().isZero()) {
          report.save(verdict, "soak");
          new NpuSoak(lanes, effort.soak(), this::say).run(npu, device, right, verdict, report);
        }
      }
    }
  }

  private double timed(EncoderTrial trial, List<byte[]> right, String name)
      throws InterruptedException {
    int wrong = trial.run(lanes, 1, right);
    PackagePower power = new PackagePower();
    long begun = System.nanoTime();
    wrong += trial.run(lanes, effort.windows(), right);
    double millis = (System.nanoTime() - begun) * 1e-6 / (lanes * effort.windows());
    ObjectNode node = report.root().putObject("encoder_" + name);
    node.put("milliseconds_per_window", millis).put("windows_that_differ", wrong);
    node.put("package_watts", power.watts()).put("package_power", power.text());
    say(
        "  %s: %.1f ms a window, %d windows differ from the CPU, %s"
            .formatted(name, millis, wrong, power.text()));
    verdict.require(wrong == 0, "encoder on " + name, wrong + " windows differ from the CPU's");
    return millis;
  }

  /** For the report. */
  static ObjectNode statistics(NpuStatistics s) {
    ObjectNode node = new ObjectMapper().createObjectNode();
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

  private void transcripts(NpuManifest manifest) throws IOException, InterruptedException {
    Path folder = speech != null ? speech : sourceSpeech();
    say("== transcripts of the project's speech");
    if (folder == null || !Files.isRegularFile(folder.resolve("golden/transcripts.json"))) {
      say("  SKIPPED: no golden/transcripts.json; name its folder with --speech");
      report.root().put("transcripts", "skipped: no speech");
      verdict.fail("transcripts", "no golden/transcripts.json; name its folder with --speech");
      return;
    }
    JsonNode golden =
        new ObjectMapper().readTree(folder.resolve("golden/transcripts.json").toFile());
    Path audio = Files.isDirectory(folder.resolve("speech")) ? folder.resolve("speech") : folder;
    List<String> names = new ArrayList<>();
    golden.fieldNames().forEachRemaining(names::add);
    Map<String, TranscriptionResult> cpu;
    try (InProcess pipeline = pipeline(null)) {
      cpu = transcribe(pipeline, audio, names);
    }
    NpuDevice device = open(manifest.programs());
    try (InProcess pipeline = pipeline(device)) {
      Map<String, TranscriptionResult> npu = transcribe(pipeline, audio, names);
      compare(golden, names, cpu, npu);
      NpuStatistics s = device.statistics();
      report.root().set("transcripts_statistics", statistics(s));
      verdict.complete("transcripts", null, s, -1);
    }
  }

  /**
   * @param npu null: the CPU; else taken over
   */
  private static InProcess pipeline(NpuDevice npu) throws IOException {
    ModelFiles model = ModelStore.defaultStore().locate();
    Engine engine = Engine.open(model.weights(), EngineOptions.of(Profile.FAST), npu);
    int cores = Runtime.getRuntime().availableProcessors();
    return new InProcess(engine, model.tokenizer(), cores, List.of());
  }

  /**
   * At temperature 0 alone, as the golden transcripts were made, and with words, so that
   * cross-attention shows too. A file without a transcript is left out.
   */
  private static Map<String, TranscriptionResult> transcribe(
      InProcess pipeline, Path folder, List<String> names)
      throws IOException, InterruptedException {
    TranscriptionOptions options =
        TranscriptionOptions.DEFAULTS.withTemperatures(List.of(0f)).withWordTimestamps(true);
    List<Job> jobs = new ArrayList<>();
    for (String name : names) {
      jobs.add(InProcess.inline(folder.resolve(name), options));
    }
    List<JobResult> results = pipeline.transcribe(jobs, true);
    Map<String, TranscriptionResult> transcripts = new HashMap<>();
    for (int i = 0; i < names.size(); i++) {
      if (results.get(i).status() == JobResult.Status.COMPLETED) {
        transcripts.put(names.get(i), results.get(i).transcription());
      }
    }
    return transcripts;
  }

  private void compare(
      JsonNode golden,
      List<String> names,
      Map<String, TranscriptionResult> cpu,
      Map<String, TranscriptionResult> npu) {
    Wer cpuWer = new Wer(new EnglishNormalizer());
    Wer npuWer = new Wer(new EnglishNormalizer());
    int differ = 0;
    for (String name : names) {
      if (!cpu.containsKey(name) || !cpu.get(name).equals(npu.get(name))) {
        differ++;
        verdict.fail("transcripts", name + " differs from the CPU's, or failed");
        continue;
      }
      JsonNode plain = golden.path(name).path("plain");
      if (plain.path("language").asText("").equals("en")) {
        cpuWer.add(plain.path("text").asText(), cpu.get(name).text());
        npuWer.add(plain.path("text").asText(), npu.get(name).text());
      }
    }
    ObjectNode node = report.root().putObject("transcripts");
    node.put("files", names.size()).put("files_that_differ", differ);
    node.put("wer_cpu", cpuWer.rate()).put("wer_npu", npuWer.rate());
    say(
        "  %d files, %d differ (words and times too); English WER against openai/whisper: CPU %.2f %%, NPU %.2f %%"
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
}
