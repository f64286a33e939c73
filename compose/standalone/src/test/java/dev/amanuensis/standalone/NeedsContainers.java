package dev.amanuensis.standalone;

import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.testcontainers.DockerClientFactory;

/**
 * Skips a class where there is no container runtime or no image of ours. A condition and not an
 * assumption: a class whose assumption fails before its first test is missing in Maven's counts.
 */
final class NeedsContainers implements ExecutionCondition {
  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    if (!DockerClientFactory.instance().isDockerAvailable()) {
      return ConditionEvaluationResult.disabled(
          "no Docker-compatible socket; with podman: podman system service -t 0"
              + " unix:///run/podman.sock, DOCKER_HOST=unix:///run/podman.sock,"
              + " TESTCONTAINERS_RYUK_DISABLED=true");
    }
    if (!ContainerFleet.oursIsBuilt()) {
      return ConditionEvaluationResult.disabled(
          "our image is not built: docker build -f compose/Dockerfile -t amanuensis:latest .");
    }
    return ConditionEvaluationResult.enabled("a container runtime and our image are there");
  }
}
