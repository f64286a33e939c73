package dev.amanuensis.engine;

import java.util.Set;

/**
 * How a model computes.
 *
 * @param inF32 parts that compute in f32 whatever the profile: for finding out what reduced
 *     arithmetic costs where
 * @param paddingStride of the encoder's rows that see nothing but padding, the fast profile keeps
 *     one in so many (of the window's last ones more) and lets it weigh as much as those it stands
 *     for; 1 keeps all, 0 is the profile's own choice
 * @param paddingMargin rows of 20 ms after the audio that are kept one by one
 */
public record EngineOptions(
    Profile profile, Set<ModelPart> inF32, int paddingStride, int paddingMargin) {
  public static EngineOptions of(Profile profile) {
    return new EngineOptions(profile, Set.of(), 0, 0);
  }
}
