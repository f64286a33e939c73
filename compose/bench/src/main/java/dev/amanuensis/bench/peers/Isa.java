package dev.amanuensis.bench.peers;

import java.util.Map;

/** An upper limit of the instruction set, in the variables that each engine listens to. */
enum Isa {
  AUTO("", "", "", ""),
  AVX2("AVX2", "AVX2", "AVX2", "avx2"),
  AVX512("AVX512_CORE", "AVX512", "AVX512", "avx512"),
  AVX512_VNNI("AVX512_CORE_VNNI", "AVX512", "AVX512", "avx512");

  private final String dnnl;
  private final String ctranslate2;
  private final String mkl;
  private final String aten;

  Isa(String dnnl, String ctranslate2, String mkl, String aten) {
    this.dnnl = dnnl;
    this.ctranslate2 = ctranslate2;
    this.mkl = mkl;
    this.aten = aten;
  }

  /** Variables for every engine's process: each knows its own and ignores the others. */
  Map<String, String> environment() {
    if (this == AUTO) {
      return Map.of();
    }
    return Map.of(
        "ONEDNN_MAX_CPU_ISA", dnnl,
        "CT2_FORCE_CPU_ISA", ctranslate2,
        "MKL_ENABLE_INSTRUCTIONS", mkl,
        "ATEN_CPU_CAPABILITY", aten);
  }

  @Override
  public String toString() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
