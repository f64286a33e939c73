package dev.amanuensis.model;

import dev.amanuensis.model.ModelException.Code;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Strict reader of CTranslate2's binary model format, version 6 (little-endian): format version,
 * spec name, revision, the variables (name, shape, type, data), the aliases. Nothing in the file is
 * trusted: every length is checked against the bytes that are there.
 */
final class CTranslate2File {
  private static final int FORMAT_VERSION = 6;
  private static final String SPEC = "WhisperSpec";
  private static final int MAX_VARIABLES = 10_000;
  private static final int MAX_NAME = 512;
  private static final int MAX_RANK = 4;

  /** Element types by their number in the file. */
  enum Type {
    FLOAT32(4),
    INT8(1),
    INT16(2),
    INT32(4),
    FLOAT16(2);

    final int bytes;

    Type(int bytes) {
      this.bytes = bytes;
    }
  }

  /**
   * One tensor.
   *
   * @param shape empty for a scalar
   * @param data read-only, little-endian, position 0
   */
  record Variable(String name, int[] shape, Type type, ByteBuffer data) {}

  private final ByteBuffer in;
  private final List<Variable> variables = new ArrayList<>();

  private CTranslate2File(ByteBuffer in) {
    this.in = in.order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Reads the file's table. The variables stay views into the mapping. */
  static List<Variable> read(FileChannel channel) throws IOException {
    if (channel.size() > Integer.MAX_VALUE) {
      throw damaged("it is larger than 2 GiB");
    }
    return read(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()));
  }

  static List<Variable> read(ByteBuffer bytes) throws ModelException {
    CTranslate2File file = new CTranslate2File(bytes);
    file.parse();
    return List.copyOf(file.variables);
  }

  private void parse() throws ModelException {
    long version = uint32("the format version");
    if (version != FORMAT_VERSION) {
      throw damaged("format version " + version + " instead of " + FORMAT_VERSION);
    }
    String spec = string("the spec name");
    if (!spec.equals(SPEC)) {
      throw damaged("spec '" + spec + "' instead of '" + SPEC + "'");
    }
    uint32("the revision");
    long count = uint32("the number of variables");
    if (count == 0 || count > MAX_VARIABLES) {
      throw damaged(count + " variables");
    }
    Set<String> names = new HashSet<>();
    for (long i = 0; i < count; i++) {
      Variable variable = variable();
      if (!names.add(variable.name())) {
        throw damaged("variable '" + variable.name() + "' occurs twice");
      }
      variables.add(variable);
    }
    aliases(names);
    if (in.hasRemaining()) {
      throw damaged(in.remaining() + " bytes after its end");
    }
  }

  private Variable variable() throws ModelException {
    String name = string("a variable's name");
    int rank = need(1, "the rank of " + name).get() & 0xff;
    if (rank > MAX_RANK) {
      throw damaged(name + " has rank " + rank);
    }
    int[] shape = new int[rank];
    long elements = 1;
    for (int d = 0; d < rank; d++) {
      long dim = uint32("the shape of " + name);
      if (dim == 0 || dim > in.capacity()) {
        throw damaged(name + " has a dimension of " + dim);
      }
      shape[d] = (int) dim;
      elements *= dim; // both factors are below 2^31
      if (elements > in.capacity()) {
        throw damaged(name + " has more elements than the file has bytes");
      }
    }
    int code = need(1, "the type of " + name).get() & 0xff;
    if (code >= Type.values().length) {
      throw damaged(name + " has the unknown type " + code);
    }
    Type type = Type.values()[code];
    long bytes = uint32("the size of " + name);
    if (bytes != elements * type.bytes) {
      throw damaged(name + " has " + bytes + " bytes instead of " + elements * type.bytes);
    }
    need(bytes, "the data of " + name);
    ByteBuffer data =
        in.slice(in.position(), (int) bytes).asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    in.position(in.position() + (int) bytes);
    return new Variable(name, shape, type, data);
  }

  private void aliases(Set<String> names) throws ModelException {
    long count = uint32("the number of aliases");
    if (count > MAX_VARIABLES) {
      throw damaged(count + " aliases");
    }
    for (long i = 0; i < count; i++) {
      String alias = string("an alias");
      String target = string("the target of alias " + alias);
      if (!names.contains(target)) {
        throw damaged("alias '" + alias + "' of '" + target + "', which is not there");
      }
    }
  }

  /** uint16 length, then that many bytes of which the last is NUL. */
  private String string(String what) throws ModelException {
    int length = need(2, what).getShort() & 0xffff;
    if (length == 0 || length > MAX_NAME) {
      throw damaged(what + " has " + length + " bytes");
    }
    byte[] bytes = new byte[length];
    need(length, what).get(bytes);
    if (bytes[length - 1] != 0) {
      throw damaged(what + " does not end in NUL");
    }
    return new String(bytes, 0, length - 1, StandardCharsets.UTF_8);
  }

  private long uint32(String what) throws ModelException {
    return need(4, what).getInt() & 0xffffffffL;
  }

  private ByteBuffer need(long bytes, String what) throws ModelException {
    if (bytes > in.remaining()) {
      throw damaged("it ends within " + what);
    }
    return in;
  }

  private static ModelException damaged(String what) {
    return new ModelException(Code.CORRUPT, "not a CTranslate2 Whisper model: " + what);
  }
}
