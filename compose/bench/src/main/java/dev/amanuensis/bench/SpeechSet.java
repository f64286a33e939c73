package dev.amanuensis.bench;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.worker.job.AudioSource;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.JobException;
import dev.amanuensis.worker.job.TranscriptionOptions;
import dev.amanuensis.worker.source.AudioPreparer;
import dev.amanuensis.worker.source.PreparedAudio;
import dev.amanuensis.worker.source.SourceConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The audio of a comparison, decoded once: every engine gets the same 16-bit samples as WAV files,
 * so that nobody's FFmpeg is measured.
 *
 * @param names as the references name them
 * @param files WAV, 16 kHz, mono
 * @param seconds of all files
 */
public record SpeechSet(List<String> names, List<Path> files, double seconds) {
  private static final Set<String> ENDINGS =
      Set.of("wav", "flac", "mp3", "ogg", "oga", "opus", "m4a", "mp4", "webm", "aac");
  private static final int HEADER = 44;
  private static final int BYTES_PER_SECOND = 32_000;

  /**
   * @param audio a directory (all audio files below it) or one file
   * @param repeat how often each file is repeated within itself, to make long ones
   */
  public static SpeechSet decode(Path audio, int repeat, Path directory)
      throws CliException, InterruptedException {
    List<Path> sources = sources(audio);
    List<String> names = new ArrayList<>();
    List<Path> files = new ArrayList<>();
    long bytes = 0;
    SourceConfig d = SourceConfig.defaults();
    Path root = Files.isDirectory(audio) ? audio : audio.toAbsolutePath().getParent();
    SourceConfig config =
        new SourceConfig(
            List.of(root.toAbsolutePath()),
            directory,
            d.maxBytes(),
            d.maxDuration(),
            d.decodeTimeout());
    try (AudioPreparer preparer = new AudioPreparer(config)) {
      for (Path source : sources) {
        Path file = directory.resolve("%04d.wav".formatted(files.size()));
        try (PreparedAudio decoded = preparer.prepare(job(source))) {
          bytes += write(file, decoded.pcm(), repeat);
        }
        names.add(root.toAbsolutePath().relativize(source.toAbsolutePath()).toString());
        files.add(file);
      }
    } catch (JobException e) {
      throw new CliException(
          ExitCodes.FAILED, sources.get(files.size()) + ": " + e.getMessage(), e);
    } catch (IOException e) {
      throw new CliException(ExitCodes.INTERNAL, "can't write to " + directory + ": " + e, e);
    }
    return new SpeechSet(names, files, (double) bytes / BYTES_PER_SECOND);
  }

  private static List<Path> sources(Path audio) throws CliException {
    if (!Files.isDirectory(audio)) {
      if (!Files.isReadable(audio)) {
        throw new CliException(ExitCodes.USAGE, "--audio: " + audio + " can't be read");
      }
      return List.of(audio);
    }
    try (Stream<Path> tree = Files.walk(audio)) {
      List<Path> found = tree.filter(SpeechSet::isAudio).sorted().toList();
      if (found.isEmpty()) {
        throw new CliException(ExitCodes.USAGE, "--audio: no audio files in " + audio);
      }
      return found;
    } catch (IOException e) {
      throw new CliException(ExitCodes.USAGE, "--audio: " + audio + " can't be read: " + e, e);
    }
  }

  private static boolean isAudio(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    return Files.isRegularFile(file) && ENDINGS.contains(name.substring(name.lastIndexOf('.') + 1));
  }

  private static Job job(Path file) throws IOException {
    return new Job(
        file.toString(),
        new AudioSource.Reference(file.toRealPath().toUri(), null),
        null,
        TranscriptionOptions.DEFAULTS,
        0,
        null,
        Instant.now(),
        Map.of());
  }

  private static long write(Path file, ByteBuffer pcm, int repeat) throws IOException {
    int length = Math.multiplyExact(pcm.remaining(), repeat);
    ByteBuffer header = ByteBuffer.allocate(HEADER).order(ByteOrder.LITTLE_ENDIAN);
    header.put("RIFF".getBytes(StandardCharsets.US_ASCII)).putInt(HEADER - 8 + length);
    header.put("WAVEfmt ".getBytes(StandardCharsets.US_ASCII)).putInt(16);
    header.putShort((short) 1).putShort((short) 1).putInt(16_000).putInt(BYTES_PER_SECOND);
    header.putShort((short) 2).putShort((short) 16);
    header.put("data".getBytes(StandardCharsets.US_ASCII)).putInt(length).flip();
    try (FileChannel out =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      out.write(header);
      for (int i = 0; i < repeat; i++) {
        ByteBuffer samples = pcm.duplicate();
        while (samples.hasRemaining()) {
          out.write(samples);
        }
      }
    }
    return length;
  }

  /**
   * Reference texts in the order of the files.
   *
   * @param tsv lines of file and text, separated by a tab
   */
  public List<String> references(Path tsv, int repeat) throws CliException {
    Map<String, String> byName = new HashMap<>();
    try {
      for (String line : Files.readAllLines(tsv)) {
        int tab = line.indexOf('\t');
        if (tab > 0) {
          byName.put(line.substring(0, tab), line.substring(tab + 1));
        }
      }
    } catch (IOException e) {
      throw new CliException(ExitCodes.USAGE, "--reference: " + tsv + " can't be read: " + e, e);
    }
    List<String> texts = new ArrayList<>();
    for (String name : names) {
      String text = byName.get(name);
      if (text == null) {
        throw new CliException(
            ExitCodes.USAGE,
            "--reference: no text for "
                + name
                + "; every line is the file's path below --audio, a tab, and its text");
      }
      texts.add(String.join(" ", java.util.Collections.nCopies(repeat, text)));
    }
    return texts;
  }
}
