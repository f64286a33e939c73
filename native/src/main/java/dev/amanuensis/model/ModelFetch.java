package dev.amanuensis.model;

/**
 * Fetches the model from the command line of a build: {@code java dev.amanuensis.model.ModelFetch}.
 * Says nothing but one line when the model is there. Exit code 0, or 1 with the reason on stderr.
 */
public final class ModelFetch {
  private ModelFetch() {}

  public static void main(String[] arguments) {
    ModelStore store = ModelStore.defaultStore();
    try {
      ModelFiles files = store.fetch(FetchProgress.lines(System.out));
      System.out.println("model: " + files.name() + " is in " + store.directory());
    } catch (ModelException e) {
      System.err.println("model: " + e.getMessage());
      System.exit(1);
    }
  }
}
