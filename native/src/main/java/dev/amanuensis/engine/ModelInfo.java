package dev.amanuensis.engine;

/**
 * Geometry and special tokens of an open model.
 *
 * @param audioContext encoder positions of a window (1500)
 * @param textContext most tokens of a sequence (448)
 * @param languages number of language tokens; 0 if English only
 * @param eot end of text
 * @param sot start of transcript
 * @param timestampBegin the token of 0.00 s
 * @param noSpeech the no-speech token
 * @param noTimestamps the no-timestamps token
 * @param alignmentHeads cross-attention heads used for word times
 * @param melBytes one window of log-mel: mels x 3000 f32
 * @param encoderBytes one window of encoder states: audioContext x audioState f32
 * @param crossKvBytes cross-attention K and V of one window, all layers
 * @param weightBytes resident weights in the run-time layout
 */
public record ModelInfo(
    Profile profile,
    int mels,
    int audioContext,
    int audioState,
    int audioHeads,
    int audioLayers,
    int vocabulary,
    int textContext,
    int textState,
    int textHeads,
    int textLayers,
    boolean multilingual,
    int languages,
    int eot,
    int sot,
    int timestampBegin,
    int noSpeech,
    int noTimestamps,
    int alignmentHeads,
    long melBytes,
    long encoderBytes,
    long crossKvBytes,
    long weightBytes) {}
