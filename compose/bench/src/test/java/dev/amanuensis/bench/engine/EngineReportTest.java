package dev.amanuensis.bench.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EngineReportTest {
  private final Locale locale = Locale.getDefault();

  @AfterEach
  void restoreLocale() {
    Locale.setDefault(locale);
  }

  @Test
  void everyPartIsARowWithItsShareOfTheBound() throws Exception {
    Locale.setDefault(Locale.GERMANY);

    String report = EngineReport.markdown(figures());

    assertThat(report)
        .contains("# Engine, profile fast", "some cpu, 2 cores", "reads 12.5 GB/s")
        .contains("| fc1 | int8 | 60 x 512 x 2048 | 900 (880 to 1000) | 140 | 1.57 | exact int8 |")
        .contains("## Encoder, full window (1500 rows), one thread")
        .contains("| attention | 240.0 | 115 | 200.0 | 20.0 | 73.7 | 6.0 | 91 % | 83 % | 94 % |")
        .contains("| **all** | **600.0** (590.0 to 650.0) | 146 | | | | bound 480.0 | | | 80 % |")
        .contains("| 4 | 2 | 8.00 (7.00 to 9.00) | 500 | 92.8 | 900 tokens/s | 56 % |")
        .contains("| encode (45.0 of it cross K/V) | 345.0 | 15 |")
        .contains("| together (without reading the file: 5) | 615.0 | 59 |");
  }

  private static JsonNode figures() throws Exception {
    return new ObjectMapper()
        .readTree(
            """
            {"profile": "fast", "cpu": "some cpu, 2 cores",
             "machine": {"isa": "avx2", "dnnl_isa": "avx2", "memory_read_gbs": 12.5,
               "softmax_gexp_s": 2},
             "gemms": [{"name": "fc1", "type": "int8", "m": 60, "k": 512, "n": 2048,
               "implementation": "exact int8", "median_us": 900, "p10_us": 880, "p90_us": 1000,
               "gops": 139.8, "bytes": 1570816}],
             "encoder": [{"name": "full window", "rows": 1500, "median_us": 600000,
               "p10_us": 590000, "p90_us": 650000, "gop": 87.4, "bound_ms": 480, "of_bound": 0.8,
               "stages": [{"name": "attention", "ms": 240, "gops": 115, "gemm_ms": 200,
                 "exp_ms": 20, "bytes": 73728000, "bytes_ms": 6, "of_rate": 0.91, "of_gemm": 0.833,
                 "of_bound": 0.941}]}],
             "decoder": [{"batch": 4, "threads": 2, "median_us": 8000, "p10_us": 7000,
               "p90_us": 9000, "tokens_per_s": 500, "bytes": 92800000,
               "bound_tokens_per_s": 900, "of_bound": 0.556}],
             "alone": {"threads": 2, "tokens": 100, "mel_ms": 20, "encode_ms": 300,
               "cross_kv_ms": 45, "decode_ms": 200, "align_ms": 50}}
            """);
  }
}
