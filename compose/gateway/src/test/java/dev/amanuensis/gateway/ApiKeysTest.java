package dev.amanuensis.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

class ApiKeysTest {
  @ParameterizedTest
  @NullSource
  @ValueSource(
      strings = {
        "",
        "Bearer",
        "Bearer ",
        "Bearer secre",
        "Bearer secrets",
        "secret",
        "Basic secret"
      })
  void onlyAWholeKeyOpens(String authorization) {
    ApiKeys keys = new ApiKeys(List.of("other", "secret"));
    ApiException e = catchThrowableOfType(ApiException.class, () -> keys.check(authorization));
    assertThat(e.status()).isEqualTo(401);
    assertThat(e).hasMessageNotContaining("secret");
  }

  @Test
  void anyKeyOpensAndWithoutKeysNothingIsAsked() {
    assertThatCode(() -> new ApiKeys(List.of("other", "secret")).check("Bearer secret"))
        .doesNotThrowAnyException();
    assertThatCode(() -> new ApiKeys(List.of()).check(null)).doesNotThrowAnyException();
  }

  @Test
  void keysComeFromOneVariable() {
    assertThat(GatewayCommand.apiKeys(" a, b,,")).containsExactly("a", "b");
    assertThat(GatewayCommand.apiKeys(null)).isEmpty();
  }
}
