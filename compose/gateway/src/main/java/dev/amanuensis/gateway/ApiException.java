package dev.amanuensis.gateway;

import java.util.Map;

/** A request that is answered with an error in OpenAI's form. */
final class ApiException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int status;
  private final String type;
  private final String parameter;
  private final String code;
  private final boolean last;

  private ApiException(
      int status, String type, String parameter, String code, String message, boolean last) {
    super(message, null, false, false); // an answer, not a defect: no stack trace
    this.status = status;
    this.type = type;
    this.parameter = parameter;
    this.code = code;
    this.last = last;
  }

  /**
   * @param parameter that is wrong, or null
   */
  static ApiException invalid(String parameter, String message) {
    return new ApiException(400, "invalid_request_error", parameter, null, message, false);
  }

  static ApiException of(int status, String code, String message) {
    return new ApiException(status, type(status), null, code, message, false);
  }

  /** An error that the same request would meet again, though clients repeat its status. */
  static ApiException last(int status, String code, String message) {
    return new ApiException(status, type(status), null, code, message, true);
  }

  private static String type(int status) {
    return status < 500 ? "invalid_request_error" : "server_error";
  }

  /**
   * @param why what there is too much of
   */
  static ApiException busy(String why) {
    return new ApiException(
        429, "rate_limit_error", null, "rate_limit_exceeded", why + "; try again later", false);
  }

  /** Whether to repeat the request is of no use. */
  boolean isLast() {
    return last;
  }

  int status() {
    return status;
  }

  /** The answer's body, before it becomes JSON. */
  Map<String, Object> body() {
    Map<String, Object> error = new java.util.LinkedHashMap<>();
    error.put("message", getMessage());
    error.put("type", type);
    error.put("param", parameter);
    error.put("code", code);
    return Map.of("error", error);
  }
}
