package dev.amanuensis.bench;

import dev.amanuensis.cli.CliException;
import dev.amanuensis.cli.ExitCodes;
import dev.amanuensis.model.ModelException;
import dev.amanuensis.model.ModelFiles;
import dev.amanuensis.model.ModelStore;

/** The model that is measured. */
public final class InstalledModel {
  private InstalledModel() {}

  /**
   * @throws CliException with the exit code for models, if it is not there or damaged
   */
  public static ModelFiles locate() throws CliException {
    try {
      return ModelStore.defaultStore().locate();
    } catch (ModelException e) {
      throw new CliException(ExitCodes.MODEL, "model: " + e.getMessage(), e);
    }
  }
}
