package dev.amanuensis.worker.transcription;

/**
 * Text tokens that a window is likely to repeat.
 *
 * @param before the end of what was said in the file before the window
 * @param rest what the window before it heard beyond its last complete segment: this window hears
 *     it again
 */
public record Expected(int[] before, int[] rest) {
  public static final Expected NOTHING = new Expected(new int[0], new int[0]);
}
