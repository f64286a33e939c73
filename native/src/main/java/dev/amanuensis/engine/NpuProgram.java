package dev.amanuensis.engine;

import java.nio.file.Path;

/**
 * A compiled product: c[m x n] int32 = a[m x k] int8 * b[k x n] int8, row-major.
 *
 * @param kernel name in the xclbin
 * @param instructions 32-bit words, raw or as lines of hex
 */
public record NpuProgram(Path xclbin, String kernel, Path instructions, long m, long k, long n) {
  String line() {
    return String.join(
        "\t",
        xclbin.toString(),
        kernel,
        instructions.toString(),
        Long.toString(m),
        Long.toString(k),
        Long.toString(n));
  }
}
