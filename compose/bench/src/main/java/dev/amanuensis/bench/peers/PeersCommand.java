package dev.amanuensis.bench.peers;

import dev.amanuensis.bench.InstalledModel;
import dev.amanuensis.bench.Machine;
import dev.amanuensis.bench.SpeechSet;
import dev.amanuensis.bench.TemporaryDirectory;
import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.cli.terminal.StatusLine;
import dev.amanuensis.cli.terminal.Terminal;
import dev.amanuensis.model.ModelFiles;
import dev.amanuensis.model.UserCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Our engine beside others: same weights, files, threads and settings, in turns. */
@Command(
    name = "peers",
    description = {
      "Compare with other Whisper engines: speed and word errors in one table.",
      "Each Python engine is installed with pip into an environment of its own in the cache (the"
          + " one of openai/whisper takes some 6 GB) and runs our weights, converted to its format."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  amanuensis bench peers --audio recordings/ --language en --reference texts.tsv",
      "  amanuensis bench peers --audio talk.wav --repeat 5 --peers faster-whisper-int8",
      "  amanuensis bench peers --audio recordings/ --isa avx2 --output results",
      "  amanuensis bench peers --audio recordings/ --whisper-cpp"
          + " ~/whisper.cpp/build/bin/whisper-cli",
      "",
      "Without --reference the errors are the difference from our fp32 profile's text."
    })
public final class PeersCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Option(
      names = "--audio",
      paramLabel = "DIR|FILE",
      required = true,
      description = "All audio files below the directory, or one file.")
  private Path audio;

  @Option(
      names = "--reference",
      paramLabel = "TSV",
      description = "True texts: lines of the file's path below --audio, a tab, the text.")
  private Path reference;

  @Option(
      names = "--repeat",
      paramLabel = "N",
      defaultValue = "1",
      description = "Join each file N times into one, to make long ones. Default: 1.")
  private int repeat;

  @Option(
      names = "--peers",
      paramLabel = "ID[,ID...]",
      split = ",",
      description =
          "Which to run beside ours; default all: openai-whisper, faster-whisper-fp32,"
              + " faster-whisper-int8, faster-whisper-int8-parallel, faster-whisper-int8-batched,"
              + " and whisper-cpp-f16 where --whisper-cpp is given.")
  private List<String> peers;

  @Option(
      names = "--ours",
      paramLabel = "ID[,ID...]",
      split = ",",
      description =
          "Which of ours; default all: amanuensis, amanuensis-single, amanuensis-chunked, "
              + "amanuensis-reference.")
  private List<String> ours;

  @Option(
      names = "--whisper-cpp",
      paramLabel = "BINARY",
      description = "whisper.cpp's whisper-cli; gets our weights as a ggml file.")
  private Path whisperCpp;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Of every engine. Default: the cores.")
  private Integer threads;

  @Option(
      names = {"-l", "--language"},
      paramLabel = "LANG",
      description = "Code, such as en. Default: every engine detects it.")
  private String language;

  @Option(
      names = "--fallback",
      description = "Temperatures 0, 0.2 ... 1 as all engines have it by default; else 0 alone.")
  private boolean fallback;

  @Option(
      names = "--isa",
      paramLabel = "ISA",
      defaultValue = "AUTO",
      description = "Largest instruction set for everybody: ${COMPLETION-CANDIDATES}.")
  private Isa isa;

  @Option(
      names = "--runs",
      paramLabel = "N",
      defaultValue = "3",
      description = "Runs of every engine, interleaved. Default: ${DEFAULT-VALUE}.")
  private int runs;

  @Option(names = "--output", paramLabel = "PATH", description = "Also write PATH.md and PATH.svg.")
  private Path output;

  @Option(
      names = "--cache-dir",
      paramLabel = "DIR",
      description = "Environments and converted models. Default: bench in the user's cache.")
  private Path cacheDirectory;

  public PeersCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws CliException, InterruptedException {
    check(repeat >= 1, "--repeat must be at least 1");
    check(runs >= 1, "--runs must be at least 1");
    check(threads == null || threads >= 1, "--threads must be at least 1");
    ModelFiles model = InstalledModel.locate();
    Settings settings =
        new Settings(
            threads == null ? Runtime.getRuntime().availableProcessors() : threads,
            language,
            fallback ? List.of(0f, 0.2f, 0.4f, 0.6f, 0.8f, 1f) : List.of(0f),
            isa,
            model.weights(),
            model.tokenizer(),
            model.sha256(),
            runs);
    try (StatusLine status = new StatusLine(terminal);
        TemporaryDirectory work = new TemporaryDirectory()) {
      compare(settings, work.path(), status);
      return ExitCodes.OK;
    } catch (IOException e) {
      throw new CliException(ExitCodes.INTERNAL, "can't write: " + e, e);
    }
  }

  private void compare(Settings settings, Path work, StatusLine status)
      throws CliException, InterruptedException, IOException {
    Path cache =
        cacheDirectory == null
            ? UserCache.directory(System.getenv()).resolve("bench")
            : cacheDirectory.toAbsolutePath();
    Contenders contenders = new Contenders(settings, cache, work, status);
    List<Contender> all = contenders.all(whisperCpp);
    List<Contender> chosen = choose(all);
    status.show("decoding the audio");
    SpeechSet speech =
        SpeechSet.decode(audio, repeat, Files.createDirectory(work.resolve("audio")));
    Race race =
        new Race(
            settings,
            speech,
            work,
            status,
            pass -> status.above(() -> terminal.err().println(pass)));
    List<Race.Entry> entries = race.run(chosen);
    Accuracy accuracy = accuracy(race, all, entries, speech, status);
    List<Double> rates = entries.stream().map(e -> accuracy.rate(e.first().texts())).toList();
    String measure = reference == null ? "differs from our fp32 text" : "WER";
    Report report = new Report(Machine.here(), settings, speech, measure, entries, rates);
    status.hide();
    terminal.out().print(report.markdown());
    if (output != null) {
      write(report, entries, rates, measure);
    }
  }

  /**
   * References if there are any; else the text of our fp32 profile, which is run for it if need be.
   */
  private Accuracy accuracy(
      Race race, List<Contender> all, List<Race.Entry> entries, SpeechSet speech, StatusLine status)
      throws CliException, InterruptedException {
    if (reference != null) {
      return new Accuracy(speech.references(reference, repeat), entries.get(0).first().languages());
    }
    String id = Contenders.OURS + "-reference";
    for (Race.Entry entry : entries) {
      if (entry.contender().id().equals(id)) {
        return new Accuracy(entry.first().texts(), entry.first().languages());
      }
    }
    Contender fp32 = all.stream().filter(c -> c.id().equals(id)).findFirst().orElseThrow();
    try (Runner runner = race.start(fp32)) {
      status.show("transcribing with the fp32 profile");
      Runner.Pass pass = runner.run(speech.files());
      return new Accuracy(pass.texts(), pass.languages());
    }
  }

  private List<Contender> choose(List<Contender> all) throws CliException {
    List<String> known = all.stream().map(Contender::id).toList();
    List<String> named = new ArrayList<>(peers == null ? List.of() : peers);
    named.addAll(ours == null ? List.of() : ours);
    for (String id : named) {
      check(
          known.contains(id),
          "no engine is called '%s'; there are %s".formatted(id, String.join(", ", known)));
    }
    return all.stream()
        .filter(
            c -> {
              List<String> wanted = c.ours() ? ours : peers;
              return wanted == null || wanted.contains(c.id());
            })
        .toList();
  }

  private void write(Report report, List<Race.Entry> entries, List<Double> rates, String measure)
      throws IOException {
    List<BarChart.Bar> bars = new ArrayList<>();
    for (int i = 0; i < entries.size(); i++) {
      Race.Entry e = entries.get(i);
      String note = String.format(java.util.Locale.ROOT, "%.2f %%", 100 * rates.get(i));
      bars.add(
          new BarChart.Bar(e.contender().title(), e.speed().middle(), note, e.contender().ours()));
    }
    String subtitle =
        "× realtime, and %s; %d threads, %s"
            .formatted(
                measure,
                report.settings().threads(),
                report.entries().stream()
                    .map(Race.Entry::isa)
                    .limit(1)
                    .collect(Collectors.joining()));
    Files.writeString(Path.of(output + ".md"), report.markdown());
    Files.writeString(
        Path.of(output + ".svg"),
        BarChart.svg("Whisper base on " + report.machine().cpu(), subtitle, bars));
  }

  private static void check(boolean holds, String message) throws CliException {
    if (!holds) {
      throw new CliException(ExitCodes.USAGE, message);
    }
  }
}
