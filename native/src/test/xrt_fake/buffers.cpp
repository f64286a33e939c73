// Buffers: two copies of the bytes, a poisoned beginning, and a count of what the device may still touch.
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "fake.h"

namespace xrt_fake {

namespace {
std::atomic<int64_t> heap{0};
constexpr int64_t kHeap = int64_t{512} << 20;  // 64 MiB steps up to here
constexpr uint8_t kPoison = 0xA5, kDevicePoison = 0x5A;

[[noreturn]] void fail(int error, const std::string& call) {
  throw std::system_error(error, std::system_category(),
                          call + " IOCTL failed (err=-" + std::to_string(error) + ")");
}
}  // namespace

Memory::Memory(size_t size, uint32_t bank_of, uint32_t flags_of)
    : bytes(size), bank(bank_of), flags(flags_of) {
  const bool cacheable = flags == XRT_BO_FLAGS_CACHEABLE;
  if (!cacheable && flags != XRT_BO_FLAGS_HOST_ONLY)
    throw std::system_error(EINVAL, std::system_category(), "Bad BO type.");
  if (cacheable && (fault("heap") || heap + static_cast<int64_t>(size) > kHeap))
    fail(ENOSPC, "DRM_IOCTL_AMDXDNA_CREATE_BO");
  if (!cacheable && fault("memlock"))
    throw std::system_error(EAGAIN, std::system_category(), "mmap of a buffer object failed (err=-11)");
  host =
      static_cast<uint8_t*>(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (host == MAP_FAILED) throw std::bad_alloc();
  if (cacheable) heap += static_cast<int64_t>(size);
  std::memset(host, kPoison, size);
  device.assign(size, kDevicePoison);
  counters().buffers++;
}

Memory::~Memory() {
  munmap(host, bytes);
  if (flags == XRT_BO_FLAGS_CACHEABLE) heap -= static_cast<int64_t>(bytes);
  counters().buffers--;
}

}  // namespace xrt_fake

namespace xrt {

bo_impl::~bo_impl() {
  if (in_flight > 0) xrt_fake::violation("a buffer was freed while the device may use it");
}

namespace {
std::shared_ptr<bo_impl> allocate(size_t size, bo::flags flags, memory_group group) {
  auto impl = std::make_shared<bo_impl>();
  uint32_t bank = group & 0xffff;
  if (flags == bo::flags::host_only && xrt_fake::fault("bank")) {
    bank = 1;
    xrt_fake::counters().misplaced++;
  }
  impl->memory = std::make_shared<xrt_fake::Memory>(size, bank, static_cast<uint32_t>(flags));
  impl->bytes = size;
  return impl;
}
}  // namespace

bo::bo(const device&, size_t size, flags f, memory_group group) : handle(allocate(size, f, group)) {}
bo::bo(const hw_context&, size_t size, flags f, memory_group group) : handle(allocate(size, f, group)) {}
bo::bo(const bo& parent, size_t size, size_t offset) : handle(std::make_shared<bo_impl>()) {
  if (offset > parent.handle->bytes || size > parent.handle->bytes - offset)
    throw std::system_error(EINVAL, std::system_category(), "sub-buffer out of range");
  if (offset % 4096 != 0) xrt_fake::violation("a sub-buffer does not begin on a page");
  handle->memory = parent.handle->memory;
  handle->parent = parent.handle;
  handle->offset = parent.handle->offset + offset;
  handle->bytes = size;
}
bo::~bo() = default;

size_t bo::size() const { return handle->bytes; }
uint64_t bo::address() const { return 0x4000000 + handle->offset; }
memory_group bo::get_memory_group() const { return handle->memory->bank; }
bo::flags bo::get_flags() const { return static_cast<flags>(handle->memory->flags); }
void* bo::map() { return handle->memory->host + handle->offset; }
const void* bo::map() const { return handle->memory->host + handle->offset; }

void bo::write(const void* from, size_t size, size_t seek) {
  if (seek > handle->bytes || size > handle->bytes - seek)
    throw std::system_error(EINVAL, std::system_category(), "write out of range");
  std::memcpy(handle->memory->host + handle->offset + seek, from, size);
}
void bo::read(void* to, size_t size, size_t skip) {
  if (skip > handle->bytes || size > handle->bytes - skip)
    throw std::system_error(EINVAL, std::system_category(), "read out of range");
  std::memcpy(to, handle->memory->host + handle->offset + skip, size);
}

void bo::sync(xclBOSyncDirection direction, size_t size, size_t offset) {
  if (offset > handle->bytes || size > handle->bytes - offset)
    throw std::system_error(EINVAL, std::system_category(), "sync out of range");
  auto& m = *handle->memory;
  const size_t at = handle->offset + offset;
  // Half of it would be the last product's, or the host's stale lines would go over the device's results.
  if (m.in_flight > 0) xrt_fake::violation("a buffer was synced while the device may use it");
  std::lock_guard<std::mutex> lock(m.mutex);
  if (direction == XCL_BO_SYNC_BO_TO_DEVICE) {
    std::memcpy(m.device.data() + at, m.host + at, size);
    xrt_fake::counters().to_device++;
  } else {
    std::memcpy(m.host + at, m.device.data() + at, size);
    xrt_fake::counters().from_device++;
  }
}

}  // namespace xrt
