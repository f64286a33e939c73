package dev.amanuensis.model;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A file server on loopback that understands ranges and can cut connections. */
final class FileServer implements AutoCloseable {
  /** "path first-byte" of every request for a file that exists. */
  final List<String> requests = new CopyOnWriteArrayList<>();

  private final Map<String, byte[]> files = new ConcurrentHashMap<>();
  private final Map<String, Integer> cuts = new ConcurrentHashMap<>();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final HttpServer server;
  private volatile boolean ranges = true;

  FileServer() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/", this::answer);
    server.start();
  }

  String uri() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  FileServer with(String path, byte[] bytes) {
    files.put(path, bytes);
    return this;
  }

  /** The next answer for this path ends after so many bytes, in the middle of its body. */
  FileServer cutOnce(String path, int after) {
    cuts.put(path, after);
    return this;
  }

  FileServer withoutRanges() {
    ranges = false;
    return this;
  }

  private void answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    byte[] bytes = files.get(path);
    if (bytes == null) {
      exchange.sendResponseHeaders(404, -1);
      exchange.close();
      return;
    }
    String range = ranges ? exchange.getRequestHeaders().getFirst("Range") : null;
    int start = range == null ? 0 : Integer.parseInt(range.replaceAll("\\D", ""));
    requests.add(path + " " + start);
    int length = bytes.length - start;
    if (range != null) {
      exchange
          .getResponseHeaders()
          .set("Content-Range", "bytes " + start + "-" + (bytes.length - 1) + "/" + bytes.length);
    }
    if (path.startsWith("/simple/")) {
      exchange.getResponseHeaders().set("Content-Type", "text/html");
    }
    exchange.sendResponseHeaders(range == null ? 200 : 206, length);
    Integer cut = cuts.remove(path);
    try (OutputStream body = exchange.getResponseBody()) {
      body.write(bytes, start, cut == null ? length : Math.min(cut, length));
    } finally {
      exchange.close();
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
