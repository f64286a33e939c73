// A file that stays open.
#pragma once
#include <sys/stat.h>

#include <cstddef>
#include <string>

namespace amanuensis {

/// A regular file, open for reading. Any thread.
class OpenFile {
 public:
  /// Error AM_IO if it can't be opened or is not a regular file.
  explicit OpenFile(const std::string& path);
  ~OpenFile();
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  size_t size() const { return static_cast<size_t>(known_.st_size); }
  int descriptor() const { return fd_; }
  const std::string& path() const { return path_; }
  /// Bytes [offset, offset + size). Error AM_IO if they can't be read, or if the file was written to since
  /// it was opened (a file that is replaced by another of its name stays what it was).
  void read(size_t offset, void* to, size_t size) const;

 private:
  std::string path_;
  int fd_;
  struct stat known_{};
};

/// Throws Error AM_IO with the path, what is wrong, and what errno says.
[[noreturn]] void io_error(const std::string& path, const char* what);

}  // namespace amanuensis
