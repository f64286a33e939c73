package dev.amanuensis.worker.intake;

import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/** W3C's trace context as OpenTelemetry puts it into Kafka's headers. */
final class TraceParent {
  static final String HEADER = "traceparent";

  /** Longer than any version has been; a record may carry anything. */
  private static final int MAX_BYTES = 256;

  // https://www.w3.org/TR/trace-context/#traceparent-header-field-values: later versions may add
  // fields at the end; version ff and ids of zeros only are invalid.
  private static final Pattern VALUE =
      Pattern.compile(
          "(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?");

  private TraceParent() {}

  /** The trace id, or null where there is none or the header is not valid. */
  static String traceId(Headers headers) {
    Header header = headers.lastHeader(HEADER);
    if (header == null || header.value() == null || header.value().length > MAX_BYTES) {
      return null;
    }
    Matcher m = VALUE.matcher(new String(header.value(), StandardCharsets.US_ASCII).strip());
    boolean valid = m.matches() && (m.group(3) == null || !m.group(1).equals("00"));
    return valid ? m.group(2) : null;
  }
}
