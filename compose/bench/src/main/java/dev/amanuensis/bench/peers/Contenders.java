package dev.amanuensis.bench.peers;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.amanuensis.bench.TemporaryDirectory;
import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.terminal.StatusLine;
import dev.amanuensis.worker.job.Chunking;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** All engines that take part, and how each is started. One thread uses it. */
final class Contenders {
  /** Fast and reference, many files at once, one at a time and one at a time in chunks. */
  static final String OURS = "amanuensis";

  private static final List<String> OPENAI_WHISPER =
      List.of("openai-whisper==20250625", "torch==2.15.0");
  private static final List<String> FASTER_WHISPER =
      List.of("faster-whisper==1.2.1", "ctranslate2==4.8.5");
  private static final List<String> SCRIPTS =
      List.of(
          "runner.py",
          "run_openai_whisper.py",
          "run_faster_whisper.py",
          "to_ctranslate2.py",
          "to_ggml.py",
          "whisper_cpp.py");
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Settings settings;
  private final Path cache;
  private final Path work;
  private final StatusLine status;

  /**
   * @param cache keeps environments and converted models
   * @param work holds the audio and what else is gone at the end
   */
  Contenders(Settings settings, Path cache, Path work, StatusLine status) {
    this.settings = settings;
    this.cache = cache;
    this.work = work;
    this.status = status;
  }

  /**
   * @param whisperCpp its whisper-cli, or null
   */
  List<Contender> all(Path whisperCpp) {
    List<Contender> all = new ArrayList<>();
    all.add(ours("", "fast, many files at once", "fast", true, Chunking.NONE));
    all.add(ours("-single", "fast, one file at a time", "fast", false, Chunking.NONE));
    all.add(ours("-chunked", "fast, one file at a time in chunks", "fast", false, Chunking.VAD));
    all.add(ours("-reference", "reference (fp32), many at once", "reference", true, Chunking.NONE));
    all.add(
        new Contender(
            "openai-whisper",
            "openai/whisper fp32",
            false,
            () -> python("openai-whisper", OPENAI_WHISPER, "run_openai_whisper.py", Map.of())));
    all.add(fasterWhisper("faster-whisper-fp32", "faster-whisper fp32", "float32", "sequential"));
    all.add(fasterWhisper("faster-whisper-int8", "faster-whisper int8", "int8", "sequential"));
    all.add(
        fasterWhisper(
            "faster-whisper-int8-parallel",
            "faster-whisper int8, " + settings.threads() + " files at once",
            "int8",
            "parallel"));
    all.add(
        fasterWhisper(
            "faster-whisper-int8-batched", "faster-whisper int8, batched 8", "int8", "batched"));
    if (whisperCpp != null) {
      all.add(whisperCpp("whisper-cpp-f16", "whisper.cpp f16", whisperCpp));
    }
    return all;
  }

  private Contender ours(
      String id, String title, String profile, boolean together, Chunking chunking) {
    return new Contender(
        OURS + id,
        "Amanuensis " + title,
        true,
        () ->
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:ActiveProcessorCount=" + settings.threads(),
                "-cp",
                System.getProperty("java.class.path"),
                EngineRunner.class.getName(),
                json(
                    Map.of(
                        "profile",
                        profile,
                        "together",
                        together,
                        "chunking",
                        chunking.toString(),
                        "root",
                        work.toString()))));
  }

  private Contender fasterWhisper(String id, String title, String type, String mode) {
    return new Contender(
        id,
        title,
        false,
        () -> {
          Path ct2 = ctranslate2Model();
          return python(
              "faster-whisper",
              FASTER_WHISPER,
              "run_faster_whisper.py",
              Map.of("compute_type", type, "mode", mode, "ct2", ct2.toString()));
        });
  }

  private Contender whisperCpp(String id, String title, Path binary) {
    return new Contender(
        id,
        title,
        false,
        () -> {
          Path ggml = converted("ggml-f16.bin", "to_ggml.py");
          return python(
              "faster-whisper", // any environment with numpy
              FASTER_WHISPER,
              "whisper_cpp.py",
              Map.of("binary", binary.toAbsolutePath().toString(), "ggml", ggml.toString()));
        });
  }

  private List<String> python(
      String environment, List<String> requirements, String script, Map<String, Object> more)
      throws CliException, InterruptedException {
    PythonEnvironment python = environment(environment, requirements);
    return List.of(python.python().toString(), scripts().resolve(script).toString(), json(more));
  }

  private PythonEnvironment environment(String name, List<String> requirements)
      throws CliException, InterruptedException {
    PythonEnvironment python =
        new PythonEnvironment(cache.resolve("env").resolve(name), requirements);
    python.ensure(status);
    return python;
  }

  private Path ctranslate2Model() throws CliException, InterruptedException {
    return converted("ctranslate2", "to_ctranslate2.py");
  }

  /** Our weights in another engine's format; converted once, named by the weights' hash. */
  private Path converted(String name, String script) throws CliException, InterruptedException {
    try {
      Path done =
          cache.resolve("models").resolve(settings.modelSha256().substring(0, 12) + "-" + name);
      if (Files.exists(done)) {
        return done;
      }
      Files.createDirectories(done.getParent());
      Path partial = done.resolveSibling(done.getFileName() + ".part");
      TemporaryDirectory.deleteTree(partial);
      PythonEnvironment python = environment("faster-whisper", FASTER_WHISPER);
      status.show("converting the model");
      PythonEnvironment.run(
          List.of(
              python.python().toString(),
              scripts().resolve(script).toString(),
              settings.weights().toString(),
              settings.tokenizer().toString(),
              partial.toString()),
          status);
      return Files.move(partial, done, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new CliException(ExitCodes.INTERNAL, "can't convert the model: " + e, e);
    }
  }

  /** The scripts side by side in the work directory. */
  private Path scripts() {
    Path directory = work.resolve("scripts");
    if (Files.exists(directory)) {
      return directory;
    }
    try {
      Files.createDirectories(directory);
      for (String script : SCRIPTS) {
        try (InputStream in = Contenders.class.getResourceAsStream(script)) {
          Files.copy(in, directory.resolve(script));
        }
      }
      return directory;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String json(Map<String, ?> more) {
    Map<String, Object> all = new HashMap<>(more);
    all.put("threads", settings.threads());
    all.put("language", settings.language());
    all.put("temperatures", settings.temperatures());
    all.put("isa", settings.isa().toString());
    all.put("weights", settings.weights().toString());
    all.put("tokenizer", settings.tokenizer().toString());
    try {
      return JSON.writeValueAsString(all);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e); // strings and numbers
    }
  }
}
