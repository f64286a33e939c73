package dev.amanuensis.npu;

import java.util.ArrayList;
import java.util.List;

/**
 * One compiled product of a manifest: mlir-aie's whole_array design, c = a * b.
 *
 * @param xclbin file of the program, relative to the manifest
 * @param instructions file of the instruction stream, relative to the manifest
 * @param columns of the array
 * @param tileM rows of a core's tile; also tileK, tileN
 */
public record NpuProduct(
    String xclbin,
    String xclbinSha256,
    String kernel,
    String instructions,
    String instructionsSha256,
    String a,
    String b,
    String c,
    String layout,
    long m,
    long k,
    long n,
    int columns,
    long tileM,
    long tileK,
    long tileN) {
  private static final int ROWS = 4;
  private static final int L1_BYTES = 64 * 1024;
  private static final int STACK_BYTES = 0xD00;
  // r, s, t of the array's int8 matrix unit on npu2 (mlir-aie aie_kernels/aie2p/mm.cc).
  private static final int UNIT = 8;

  /** What the engine or the design can't take; empty if nothing. */
  public List<String> problems() {
    List<String> problems = new ArrayList<>();
    if (!a.equals("i8") || !b.equals("i8") || !c.equals("i32")) {
      problems.add("types are %s x %s -> %s, must be i8 x i8 -> i32".formatted(a, b, c));
    }
    if (!layout.equals("row_major")) {
      problems.add("layout is %s, must be row_major".formatted(layout));
    }
    if (!List.of(1, 2, 4, 8).contains(columns)) {
      problems.add("columns is %d, must be 1, 2, 4 or 8".formatted(columns));
      return problems;
    }
    if (tileM < 1 || tileK < 1 || tileN < 1) {
      problems.add("a tile has no size");
      return problems;
    }
    divisible(problems, "m", m, ROWS * tileM);
    divisible(problems, "k", k, tileK);
    divisible(problems, "n", n, tileN * columns);
    divisible(problems, "the tile's m", tileM, 2 * UNIT);
    divisible(problems, "the tile's k", tileK, UNIT);
    divisible(problems, "the tile's n", tileN, 2 * UNIT);
    if (l1Bytes() > L1_BYTES) {
      problems.add("a core needs %d bytes of its %d".formatted(l1Bytes(), L1_BYTES));
    }
    return problems;
  }

  /** Bytes of a core's memory: two of each tile, and the stack. */
  public long l1Bytes() {
    return 2 * (tileM * tileK + tileK * tileN + 4 * tileM * tileN) + STACK_BYTES;
  }

  private static void divisible(List<String> problems, String what, long value, long by) {
    if (value < by || value % by != 0) {
      problems.add("%s is %d, must be a multiple of %d".formatted(what, value, by));
    }
  }

  /** As people write it. */
  public String shape() {
    return "(%d, %d, %d)".formatted(m, k, n);
  }
}
