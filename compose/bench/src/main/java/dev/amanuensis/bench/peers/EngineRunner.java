package dev.amanuensis.bench.peers;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.amanuensis.bench.InProcess;
import dev.amanuensis.engine.CpuInfo;
import dev.amanuensis.engine.Engine;
import dev.amanuensis.engine.Profile;
import dev.amanuensis.worker.job.Chunking;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobResult;
import dev.amanuensis.worker.job.TranscriptionOptions;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Our side of {@link Runner}'s protocol: the worker's pipeline without Kafka, in a process of its
 * own, since oneDNN reads its limits from the environment when it is loaded. Argument: settings as
 * JSON.
 */
public final class EngineRunner {
  private static final ObjectMapper JSON = new ObjectMapper();

  private EngineRunner() {}

  public static void main(String[] arguments) throws Exception {
    JsonNode settings = JSON.readTree(arguments[0]);
    PrintStream out =
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    System.setOut(System.err); // nothing else may get between the answers
    Profile profile = Profile.valueOf(settings.get("profile").asText().toUpperCase(Locale.ROOT));
    boolean together = settings.get("together").asBoolean();
    TranscriptionOptions options = options(settings);
    try (InProcess engine =
        new InProcess(
            Engine.open(Path.of(settings.get("weights").asText()), profile),
            Path.of(settings.get("tokenizer").asText()),
            settings.get("threads").asInt(),
            List.of(Path.of(settings.get("root").asText())))) {
      CpuInfo cpu = Engine.cpu();
      Map<String, String> about =
          Map.of(
              "versions",
              "Java " + Runtime.version().feature() + ", oneDNN " + cpu.dnnlVersion(),
              "isa",
              cpu.dnnlIsa());
      out.println(JSON.writeValueAsString(Map.of("ready", about)));
      BufferedReader in =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        List<Job> jobs = new ArrayList<>();
        for (JsonNode file : JSON.readTree(line)) {
          jobs.add(InProcess.reference(Path.of(file.asText()), options));
        }
        long started = System.nanoTime();
        List<JobResult> results = engine.transcribe(jobs, together);
        double seconds = (System.nanoTime() - started) / 1e9;
        out.println(
            JSON.writeValueAsString(
                Map.of(
                    "seconds",
                    seconds,
                    "results",
                    results.stream().map(EngineRunner::pair).toList())));
      }
    }
  }

  private static List<String> pair(JobResult result) {
    if (result.transcription() == null) {
      throw new IllegalStateException(result.job().id() + ": " + result.errorMessage());
    }
    return List.of(result.transcription().text(), result.transcription().language());
  }

  private static TranscriptionOptions options(JsonNode settings) {
    List<Float> temperatures = new ArrayList<>();
    settings.get("temperatures").forEach(t -> temperatures.add((float) t.asDouble()));
    return InProcess.options(settings.get("language").asText(null), temperatures)
        .with(List.of(), Chunking.valueOf(settings.get("chunking").asText()));
  }
}
