package dev.amanuensis.engine;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A little-endian f32 array in NumPy's file format.
 *
 * @param data row-major
 */
record Npy(int[] shape, float[] data) {
  private static final Pattern SHAPE = Pattern.compile("'shape': \\(([0-9, ]*)\\)");

  static Npy resource(String name) {
    try (InputStream in = Npy.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalArgumentException("no resource " + name);
      }
      return parse(in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Npy parse(byte[] file) {
    ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    if (file.length < 10 || (file[0] & 0xff) != 0x93 || file[6] != 1) {
      throw new IllegalArgumentException("not an NPY file of version 1");
    }
    int length = in.getShort(8) & 0xffff;
    String header = new String(file, 10, length, StandardCharsets.US_ASCII);
    Matcher matcher = SHAPE.matcher(header);
    if (!header.contains("'<f4'") || header.contains("'fortran_order': True") || !matcher.find()) {
      throw new IllegalArgumentException("not row-major f32: " + header);
    }
    int[] shape =
        Arrays.stream(matcher.group(1).split(","))
            .map(String::strip)
            .filter(dim -> !dim.isEmpty())
            .mapToInt(Integer::parseInt)
            .toArray();
    float[] data = new float[(file.length - 10 - length) / Float.BYTES];
    in.position(10 + length);
    in.asFloatBuffer().get(data);
    if (Arrays.stream(shape).reduce(1, Math::multiplyExact) != data.length) {
      throw new IllegalArgumentException("the shape does not fit the data");
    }
    return new Npy(shape, data);
  }
}
