package dev.amanuensis.worker.source.reference;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** A range of addresses, such as {@code 10.0.0.0/8} or {@code fd00::/8}. */
public final class Cidr {
  private final byte[] network;
  private final int bits;
  private final String text;

  private Cidr(byte[] network, int bits, String text) {
    this.network = network;
    this.bits = bits;
    this.text = text;
  }

  /**
   * @throws IllegalArgumentException if it is none
   */
  public static Cidr parse(String text) {
    String[] parts = text.strip().split("/", -1);
    // Digits and colons only: anything else would be looked up as a name.
    if (parts.length != 2 || !parts[0].matches("[0-9a-fA-F:.]*[.:][0-9a-fA-F:.]*")) {
      throw none(text);
    }
    try {
      byte[] network = InetAddress.getByName(parts[0]).getAddress();
      int bits = Integer.parseInt(parts[1]);
      if (bits < 0 || bits > network.length * Byte.SIZE) {
        throw none(text);
      }
      return new Cidr(network, bits, text.strip());
    } catch (UnknownHostException | NumberFormatException e) {
      throw none(text);
    }
  }

  private static IllegalArgumentException none(String text) {
    return new IllegalArgumentException(
        "'" + text + "' is no network; write it as 10.0.0.0/8 or fd00::/8");
  }

  boolean contains(InetAddress address) {
    byte[] other = address.getAddress();
    if (other.length != network.length) {
      return false;
    }
    for (int i = 0; i < bits; i++) {
      int mask = 0x80 >> (i % Byte.SIZE);
      if ((network[i / Byte.SIZE] & mask) != (other[i / Byte.SIZE] & mask)) {
        return false;
      }
    }
    return true;
  }

  @Override
  public String toString() {
    return text;
  }
}
