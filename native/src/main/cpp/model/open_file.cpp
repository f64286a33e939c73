#include "model/open_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "model/errors.h"

namespace amanuensis {

void io_error(const std::string& path, const char* what) {
  throw Error(AM_IO, path + ": " + what + ": " + std::strerror(errno));
}

OpenFile::OpenFile(const std::string& path) : path_(path), fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (fd_ < 0) io_error(path, "can't be opened");
  const bool ok = fstat(fd_, &known_) == 0;
  if (ok && S_ISREG(known_.st_mode)) return;
  const int reason = errno;
  close(fd_);
  errno = reason;
  if (!ok) io_error(path, "can't be read");
  throw Error(AM_IO, path + ": is not a regular file");
}

OpenFile::~OpenFile() { close(fd_); }

void OpenFile::read(size_t offset, void* to, size_t size) const {
  struct stat now{};
  if (fstat(fd_, &now) != 0) io_error(path_, "can't be read");
  if (now.st_size != known_.st_size || now.st_mtim.tv_sec != known_.st_mtim.tv_sec ||
      now.st_mtim.tv_nsec != known_.st_mtim.tv_nsec)
    throw Error(AM_IO, path_ + ": was written to since it was opened; start again to use what is there now");
  auto* bytes = static_cast<uint8_t*>(to);
  while (size > 0) {
    const ssize_t n = pread(fd_, bytes, size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) io_error(path_, "can't be read");
    if (n == 0) throw Error(AM_IO, path_ + ": is shorter than it was");
    bytes += n;
    offset += static_cast<size_t>(n);
    size -= static_cast<size_t>(n);
  }
}

}  // namespace amanuensis
