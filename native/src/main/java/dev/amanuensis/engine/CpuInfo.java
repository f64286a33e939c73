package dev.amanuensis.engine;

/**
 * The processor as the engine sees it.
 *
 * @param isa what the engine's own kernels use, for example {@code avx512_vnni}
 * @param dnnlIsa what oneDNN reports as effective
 */
public record CpuInfo(
    int logicalCpus, String brand, String isa, String dnnlIsa, String dnnlVersion) {}
