package dev.amanuensis.worker.pipeline;

import dev.amanuensis.engine.EncoderLane;
import dev.amanuensis.engine.Engine;
import dev.amanuensis.engine.NativeBuffer;
import dev.amanuensis.engine.Profile;
import dev.amanuensis.model.ModelStore;
import dev.amanuensis.worker.job.Job;
import dev.amanuensis.worker.job.TranscriptionOptions;
import dev.amanuensis.worker.source.AudioPreparer;
import dev.amanuensis.worker.source.PreparedAudio;
import dev.amanuensis.worker.source.SourceConfig;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * How far the fast profile's encoder is from fp32's with every row: root mean square over the rows
 * of a clip's audio in its first window, relative to theirs. Single words hang on chance, this does
 * not. Run by hand; docs/speed.md has the figures. Arguments: as {@link Ablation}'s. -Daudio=DIR:
 * WAV files; without, the test speech.
 */
final class EncoderError {
  private EncoderError() {}

  private record Clip(NativeBuffer mel, int frames, float[] states) {}

  public static void main(String[] columns) throws Exception {
    Path weights = ModelStore.defaultStore().locate().weights();
    List<Clip> clips = new ArrayList<>();
    try (Engine engine = Engine.open(weights, Profile.REFERENCE)) {
      for (Path file : files()) {
        clips.add(clip(engine, file));
      }
    }
    for (String column : columns) {
      try (Engine engine = Engine.open(weights, Ablation.options(column));
          EncoderLane lane = engine.newLane(2)) {
        double[] errors = clips.stream().mapToDouble(clip -> error(engine, lane, clip)).toArray();
        System.out.printf(
            "%s: mean %.4f, largest %.4f of %d clips%n",
            column,
            Arrays.stream(errors).average().orElseThrow(),
            Arrays.stream(errors).max().orElseThrow(),
            errors.length);
      }
    }
  }

  private static List<Path> files() throws Exception {
    String directory = System.getProperty("audio");
    if (directory == null) {
      try (Stream<Path> all = Files.walk(Golden.SPEECH)) {
        return all.filter(f -> f.toString().matches(".*(librispeech|telephone)/.*[.]flac"))
            .sorted()
            .toList();
      }
    }
    return Ablation.wavFiles(directory);
  }

  private static Clip clip(Engine engine, Path file) throws Exception {
    Job job = Golden.job(Files.readAllBytes(file), TranscriptionOptions.DEFAULTS, null);
    NativeBuffer mel = NativeBuffer.allocate(engine.info().melBytes());
    try (AudioPreparer preparer = new AudioPreparer(SourceConfig.defaults());
        PreparedAudio audio = preparer.prepare(job);
        EncoderLane lane = engine.newLane(2)) {
      long frames = audio.samples() / Engine.HOP;
      float max = engine.melMax(audio.pcm(), audio.samples(), 0, frames);
      int here = (int) Math.min(frames, Engine.WINDOW_FRAMES);
      engine.melWindow(audio.pcm(), audio.samples(), 0, here, max, mel);
      return new Clip(mel, here, states(engine, lane, mel, here, Engine.WINDOW_FRAMES));
    }
  }

  /** The rows of the audio, one after the other. */
  private static float[] states(
      Engine engine, EncoderLane lane, NativeBuffer mel, int frames, int content) {
    try (NativeBuffer states = NativeBuffer.allocate(engine.info().encoderBytes())) {
      lane.encode(mel, content, states);
      FloatBuffer all = states.floats();
      float[] heard = new float[frames / 2 * engine.info().audioState()];
      all.get(0, heard);
      return heard;
    }
  }

  private static double error(Engine engine, EncoderLane lane, Clip clip) {
    float[] states = states(engine, lane, clip.mel(), clip.frames(), clip.frames());
    double error = 0;
    double size = 0;
    for (int i = 0; i < states.length; i++) {
      double d = states[i] - clip.states()[i];
      error += d * d;
      size += (double) clip.states()[i] * clip.states()[i];
    }
    return Math.sqrt(error / size);
  }
}
