// The device, its contexts and kernels.
#include <xrt/experimental/xrt_system.h>

#include <algorithm>
#include <any>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <system_error>

#include "fake.h"

namespace xrt {

namespace {
constexpr size_t kQueueDepth = 4;  // HWCTX_MAX_CMDS of the driver
constexpr int64_t kContexts = 16;

std::mutex registered_mutex;
std::map<std::string, std::shared_ptr<xclbin_impl>>& registered() {
  static auto* map = new std::map<std::string, std::shared_ptr<xclbin_impl>>;
  return *map;
}
}  // namespace

unsigned int system::enumerate_devices() { return xrt_fake::due("absent") ? 0 : 1; }

device::device(unsigned int index) : handle(std::make_shared<xrt_core::device>()) {
  if (index > 0 || xrt_fake::fault("absent"))
    throw std::runtime_error("No such device with index '" + std::to_string(index) + "'");
  if (xrt_fake::fault("open"))
    throw std::system_error(EACCES, std::system_category(), "Failed to open /dev/accel/accel0");
}
device::~device() = default;

uuid device::register_xclbin(const xclbin& x) {
  std::lock_guard<std::mutex> lock(registered_mutex);
  registered()[x.get_uuid().to_string()] = x.get_handle();
  return x.get_uuid();
}

std::any device::get_info_std(info::device what, const detail::abi&) const {
  if (what == info::device::name) return std::string("NPU Strix (fake)");
  if (what == info::device::bdf) return std::string("0000:c5:00.1");
  throw std::system_error(EINVAL, std::system_category(), "No such query request");
}

namespace {
std::shared_ptr<xclbin_impl> parse(const std::string& bytes) {
  std::istringstream in(bytes);
  std::string line;
  if (!std::getline(in, line) || line != xrt_fake::kProgram) throw std::runtime_error("Invalid xclbin");
  auto impl = std::make_shared<xclbin_impl>();
  for (std::string key, value; in >> key >> value;)
    if (key == "k")
      impl->k.push_back(std::stoll(value));
    else if (key == "kernel")
      impl->kernels.push_back(value);
  xuid_t id{};
  const size_t hash = std::hash<std::string>()(bytes);
  std::memcpy(id, &hash, sizeof hash);
  impl->id = uuid(id);
  return impl;
}
std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("Failed to open xclbin '" + path + "'");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}
}  // namespace

xclbin::xclbin(const std::string& file) : detail::pimpl<xclbin_impl>(parse(read_all(file))) {}
xclbin::xclbin(const std::vector<char>& bytes)
    : detail::pimpl<xclbin_impl>(parse(std::string(bytes.begin(), bytes.end()))) {}
uuid xclbin::get_uuid() const { return handle->id; }
std::vector<xclbin::kernel> xclbin::get_kernels() const {
  std::vector<kernel> kernels;
  for (const auto& name : handle->kernels)
    kernels.emplace_back(std::make_shared<kernel_impl>(kernel_impl{name}));
  return kernels;
}
std::string xclbin::kernel::get_name() const { return handle->name; }

namespace {
std::shared_ptr<hw_context_impl> new_context(const uuid& id) {
  if (xrt_fake::fault("stall")) xrt_fake::wait_for_release();
  if (xrt_fake::fault("hwctx") || xrt_fake::counters().contexts >= kContexts)
    throw std::system_error(EINVAL, std::system_category(),
                            "DRM_IOCTL_AMDXDNA_CREATE_HWCTX IOCTL failed (err=-22)");
  std::lock_guard<std::mutex> lock(registered_mutex);
  const auto at = registered().find(id.to_string());
  if (at == registered().end())
    throw std::system_error(EINVAL, std::system_category(), "no such xclbin is registered");
  return std::make_shared<hw_context_impl>(at->second);
}
}  // namespace

hw_context::hw_context(const device&, const uuid& id, access_mode)
    : detail::pimpl<hw_context_impl>(new_context(id)) {}
hw_context::hw_context(const device&, const uuid& id, const cfg_param_type&)
    : detail::pimpl<hw_context_impl>(new_context(id)) {}
hw_context::~hw_context() = default;
hw_context::access_mode hw_context::get_mode() const { return access_mode::shared; }
uuid hw_context::get_xclbin_uuid() const { return handle->xclbin->id; }
void hw_context::update_qos(const qos_type&) {}

hw_context_impl::hw_context_impl(std::shared_ptr<xclbin_impl> x)
    : xclbin(std::move(x)), queue(std::make_shared<CommandQueue>()), thread_([q = queue] { q->loop(); }) {
  xrt_fake::counters().contexts++;
}

hw_context_impl::~hw_context_impl() {
  queue->stop();
  // The last run to end may have been the last to hold the context: then this is the queue's own thread.
  if (thread_.get_id() == std::this_thread::get_id())
    thread_.detach();
  else
    thread_.join();
  xrt_fake::counters().contexts--;
}

void CommandQueue::submit(Command command) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.size() + (running_ ? 1 : 0) < kQueueDepth; });
  waiting_.push_back(std::move(command));
  auto& deepest = xrt_fake::counters().deepest;
  const auto depth = static_cast<int64_t>(waiting_.size() + (running_ ? 1 : 0));
  if (depth > deepest) deepest = depth;
  changed_.notify_all();
}

void CommandQueue::stop() {
  std::lock_guard<std::mutex> lock(mutex_);
  stop_ = true;
  changed_.notify_all();
}

// A stuck command: until the driver's time limit (TDR) has passed, or until "release". True: TDR.
bool CommandQueue::stuck() {
  const bool hang = static_cast<bool>(xrt_fake::fault("hang"));
  if (!hang && !xrt_fake::fault("tdr")) return false;
  const auto limit = std::chrono::milliseconds(xrt_fake::number_from("XRT_FAKE_TDR_MS", 2000));
  const auto begun = std::chrono::steady_clock::now();
  while (hang ? !xrt_fake::due("release") : std::chrono::steady_clock::now() - begun < limit)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return !hang;
}

// True: the driver reset the context under it. What follows a run that failed is aborted.
bool CommandQueue::work(const Command& command) {
  static auto* array = new std::mutex;  // one array: contexts take turns
  bool reset = false, failed = false;
  for (const auto& run : command) {
    if (reset || failed) {
      run->finish(ERT_CMD_STATE_ABORT);
      continue;
    }
    reset = stuck();
    if (!reset) {
      std::lock_guard<std::mutex> turn(*array);
      run->execute();
    }
    failed = !reset && xrt_fake::fault("error");
    run->finish(reset ? ERT_CMD_STATE_TIMEOUT : failed ? ERT_CMD_STATE_ERROR : ERT_CMD_STATE_COMPLETED);
  }
  return reset;
}

void CommandQueue::loop() {
  while (true) {
    Command command;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
      if (stop_) return;
      command = std::move(waiting_.front());
      waiting_.pop_front();
      running_ = true;
    }
    const bool reset = work(command);
    std::deque<Command> aborted;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      running_ = false;
      if (reset) aborted.swap(waiting_);
      changed_.notify_all();
    }
    for (auto& other : aborted)
      for (auto& run : other) run->finish(ERT_CMD_STATE_ABORT);
  }
}

kernel::kernel(const hw_context& context, const std::string& name) : handle(std::make_shared<kernel_impl>()) {
  const auto& kernels = context.get_handle()->xclbin->kernels;
  if (std::find(kernels.begin(), kernels.end(), name) == kernels.end())
    throw std::system_error(EINVAL, std::generic_category(), "No such kernel '" + name + "'");
  handle->context = context.get_handle();
}
kernel::~kernel() = default;

int kernel::group_id(int argument) const {
  constexpr int kSlot = 1 << 16;
  if (argument == 1) return kSlot | 1;  // instructions: bank 1, SRAM
  if (argument >= 3 && argument <= 7) return kSlot;
  throw std::out_of_range("no such argument");
}

}  // namespace xrt
