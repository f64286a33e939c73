// Runs, lists of runs, and their errors.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "fake.h"

namespace xrt {

// ---- errors

class run::command_error_impl {
 public:
  ert_cmd_state state;
  std::string text;
};
run::command_error::command_error(ert_cmd_state state, const std::string& what)
    : m_impl(std::make_shared<command_error_impl>(command_error_impl{state, what})) {}
run::command_error::command_error(const run& r, const std::string& what) : command_error(r.state(), what) {}
ert_cmd_state run::command_error::get_command_state() const { return m_impl->state; }
const char* run::command_error::what() const noexcept { return m_impl->text.c_str(); }
run::aie_error::aie_error(const run& r, const std::string& what) : command_error(r, what) {}
run::aie_error::span<const uint32_t> run::aie_error::data() const {
  static const uint32_t health[8] = {1, 1, 0xffffffff, 0, 0, 0, 0, 0};
  return {health, 8};
}

class runlist::command_error_impl {
 public:
  run first;
  ert_cmd_state state;
  std::string text;
};
runlist::command_error::command_error(const run& r, ert_cmd_state state, const std::string& what)
    : detail::pimpl<command_error_impl>(
          std::make_shared<command_error_impl>(command_error_impl{r, state, what})) {}
run runlist::command_error::get_run() const { return handle->first; }
ert_cmd_state runlist::command_error::get_command_state() const { return handle->state; }
const char* runlist::command_error::what() const noexcept { return handle->text.c_str(); }

namespace {
constexpr size_t kChain = 24;  // runs of a list in one command

const char* name_of(ert_cmd_state state) {
  switch (state) {
    case ERT_CMD_STATE_TIMEOUT:
      return "ERT_CMD_STATE_TIMEOUT";
    case ERT_CMD_STATE_ABORT:
      return "ERT_CMD_STATE_ABORT";
    case ERT_CMD_STATE_ERROR:
      return "ERT_CMD_STATE_ERROR";
    default:
      return "ERT_CMD_STATE_other";
  }
}
std::string text_of(ert_cmd_state state) {
  return std::string("Command failed to complete successfully (") + name_of(state) + ")";
}

// A command takes some buffers, and they must be their owner's until it has ended.
void take(run_impl& r, const run_impl::Argument& a, const char* name) {
  auto owner = a.owner.lock();
  if (!owner) xrt_fake::violation(std::string("started with a buffer that is gone: ") + name);
  owner->in_flight++;
  owner->memory->in_flight++;
  r.busy.push_back(owner);
}

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}
// When the array last had something to do.
std::atomic<int64_t>& last_command() {
  static std::atomic<int64_t> when{now_ms()};
  return when;
}
bool fails_to_wake() {
  const auto idle = xrt_fake::due("idle");
  return idle && now_ms() - last_command().exchange(now_ms()) > idle.value && xrt_fake::fault("idle");
}

// Submits runs as one command.
void start(const CommandQueue::Command& runs) {
  if (fails_to_wake())
    throw std::system_error(EIO, std::system_category(), "DRM_IOCTL_AMDXDNA_EXEC_CMD IOCTL failed (err=-5)");
  if (xrt_fake::fault("eio"))
    throw std::system_error(EIO, std::system_category(), "DRM_IOCTL_AMDXDNA_EXEC_CMD IOCTL failed (err=-5)");
  if (xrt_fake::fault("block")) xrt_fake::wait_for_release();
  for (const auto& r : runs) {
    std::lock_guard<std::mutex> lock(r->mutex);
    if (!r->waited) throw std::runtime_error("bad command state, can't launch");
    r->waited = false;
    r->state = ERT_CMD_STATE_SUBMITTED;
    take(*r, r->instructions, "instructions");
    take(*r, r->a, "left");
    take(*r, r->b, "right");
    take(*r, r->c, "sums");
    // The run must not be what keeps a buffer alive.
    for (auto& b : r->busy) b = std::shared_ptr<bo_impl>(b.get(), [](bo_impl*) {});
  }
  runs.front()->context->queue->submit(runs);
}
}  // namespace

// ---- runs

run::run(const kernel& k) : handle(std::make_shared<run_impl>()) {
  handle->context = k.get_handle()->context;
}
run::~run() = default;

void run::set_arg_at_index(int index, const void* value, size_t bytes) {
  if (index == 0)
    std::memcpy(&handle->opcode, value, std::min(bytes, sizeof handle->opcode));
  else if (index == 2)
    std::memcpy(&handle->words, value, std::min(bytes, sizeof handle->words));
  else
    throw std::system_error(EINVAL, std::generic_category(),
                            "argument " + std::to_string(index) + " is a buffer");
}

void run::set_arg_at_index(int index, const bo& b) {
  std::lock_guard<std::mutex> lock(handle->mutex);
  if (handle->state == ERT_CMD_STATE_SUBMITTED)
    xrt_fake::violation("an argument was set while the run is in flight");
  run_impl::Argument* argument = index == 1   ? &handle->instructions
                                 : index == 3 ? &handle->a
                                 : index == 4 ? &handle->b
                                 : index == 5 ? &handle->c
                                              : nullptr;
  if (argument == nullptr) throw std::system_error(EINVAL, std::generic_category(), "no such argument");
  const auto& impl = b.get_handle();
  *argument = {impl, impl->memory, impl->offset, impl->bytes};
  const uint32_t bank = index == 1 ? 1 : 0;
  if (impl->memory->bank == bank) return;
  // As XRT does: the device gets a copy in the right bank, which the caller never sees.
  std::fprintf(stderr, "XRT FAKE: argument %d is in bank %u, not %u: cloned\n", index, impl->memory->bank,
               bank);
  auto clone = std::make_shared<xrt_fake::Memory>(
      impl->bytes, bank, index == 1 ? XRT_BO_FLAGS_CACHEABLE : XRT_BO_FLAGS_HOST_ONLY);
  std::lock_guard<std::mutex> from(impl->memory->mutex);
  std::memcpy(clone->device.data(), impl->memory->device.data() + impl->offset, impl->bytes);
  *argument = {impl, clone, 0, impl->bytes};
  xrt_fake::counters().clones++;
}

void run::start() {
  if (handle->in_list) throw std::runtime_error("a run of a runlist can't be started by itself");
  xrt::start({handle});
}

ert_cmd_state run::state() const {
  std::lock_guard<std::mutex> lock(handle->mutex);
  return handle->state;
}

ert_cmd_state run::abort() {
  throw std::system_error(EOPNOTSUPP, std::system_category(),
                          "DRM_IOCTL_AMDXDNA_EXEC_CMD IOCTL failed (err=-95)");
}

namespace {
bool await(run_impl& r, const std::chrono::milliseconds& timeout) {
  std::unique_lock<std::mutex> lock(r.mutex);
  const auto ended = [&] { return r.state != ERT_CMD_STATE_SUBMITTED; };
  if (timeout.count() == 0)
    r.done.wait(lock, ended);
  else if (!r.done.wait_for(lock, timeout, ended))
    return false;
  r.waited = true;
  return true;
}
}  // namespace

std::cv_status run::wait2(const std::chrono::milliseconds& timeout) const {
  if (!await(*handle, timeout)) return std::cv_status::timeout;
  const ert_cmd_state s = state();
  if (s != ERT_CMD_STATE_COMPLETED && s != ERT_CMD_STATE_NEW) throw aie_error(*this, text_of(s));
  return std::cv_status::no_timeout;
}

// The ambiguity of the real one: a host timeout and a reset of the driver look the same.
ert_cmd_state run::wait(const std::chrono::milliseconds& timeout) const {
  return await(*handle, timeout) ? state() : ERT_CMD_STATE_TIMEOUT;
}

void run_impl::finish(ert_cmd_state final_state) {
  std::lock_guard<std::mutex> lock(mutex);
  for (auto& b : busy) {
    b->memory->in_flight--;
    b->in_flight--;
  }
  last_command() = now_ms();
  busy.clear();
  state = final_state;
  done.notify_all();
}

// What the array does with the device's copies.
void run_impl::execute() {
  xrt_fake::counters().runs++;
  if (const auto slow = xrt_fake::fault("slow"))
    std::this_thread::sleep_for(std::chrono::milliseconds(slow.value));
  const auto device = [](const Argument& x) { return x.memory->device.data() + x.offset; };
  uint32_t header[4] = {};
  {
    std::lock_guard<std::mutex> lock(instructions.memory->mutex);
    if (instructions.bytes >= sizeof header) std::memcpy(header, device(instructions), sizeof header);
  }
  // Without its instruction stream a command completes and does nothing; so it does with half of one.
  if (opcode != 3 || header[0] != xrt_fake::kMagic || size_t{words} * 4 != instructions.bytes) {
    std::lock_guard<std::mutex> lock(c.memory->mutex);
    std::memset(device(c), 0, c.bytes);
    return;
  }
  const int64_t m = header[1], k = header[2], n = header[3];
  const auto& compiled = context->xclbin->k;
  if (std::find(compiled.begin(), compiled.end(), k) == compiled.end())
    return;  // another program's instructions
  if (a.bytes < static_cast<size_t>(m * k) || b.bytes < static_cast<size_t>(k * n) ||
      c.bytes < static_cast<size_t>(m * n * 4))
    xrt_fake::violation("a buffer is smaller than the program reads or writes");
  if (xrt_fake::fault("stale")) return;
  std::vector<int8_t> left(static_cast<size_t>(m * k)), right(static_cast<size_t>(k * n));
  {
    std::lock_guard<std::mutex> lock(a.memory->mutex);
    std::memcpy(left.data(), device(a), left.size());
  }
  {
    std::lock_guard<std::mutex> lock(b.memory->mutex);
    std::memcpy(right.data(), device(b), right.size());
  }
  std::vector<int32_t> sums(static_cast<size_t>(m * n));
  xrt_fake::gemm(left.data(), right.data(), sums.data(), m, k, n);
  if (const auto wrong = xrt_fake::fault("wrong"))
    for (int64_t i = 0; i < wrong.value; i++)
      sums[static_cast<size_t>((i * 7919 + 1) % (m * 2 / 3 * n))] += 1 << (i % 20);
  std::lock_guard<std::mutex> lock(c.memory->mutex);
  std::memcpy(device(c), sums.data(), sums.size() * 4);
}

// ---- lists

runlist::runlist(const hw_context& context) : detail::pimpl<runlist_impl>(std::make_shared<runlist_impl>()) {
  handle->context = context.get_handle();
}
runlist::~runlist() = default;

void runlist::add(const run& r) {
  if (handle->executing)
    throw std::runtime_error("runlist must be idle before adding run objects, current state: running");
  if (r.get_handle()->in_list) throw std::runtime_error("runlist already contains run object");
  if (r.get_handle()->context != handle->context)
    throw std::runtime_error("run object's hardware context does not match");
  r.get_handle()->in_list = true;
  handle->runs.push_back(r);
}
void runlist::add(run&& r) { add(static_cast<const run&>(r)); }

void runlist::execute() {
  if (handle->executing) throw std::runtime_error("bad command state, can't launch");
  if (handle->runs.empty()) return;
  handle->executing = true;
  xrt_fake::counters().lists++;
  CommandQueue::Command chain;
  for (auto& r : handle->runs) {
    chain.push_back(r.get_handle());
    if (chain.size() < kChain) continue;
    start(chain);
    chain.clear();
  }
  if (!chain.empty()) start(chain);
}

std::cv_status runlist::wait(const std::chrono::milliseconds& timeout) const {
  if (!handle->executing) return std::cv_status::no_timeout;
  const auto until = std::chrono::steady_clock::now() + timeout;
  for (auto& r : handle->runs) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    const auto part = timeout.count() == 0 ? timeout : std::max(left, std::chrono::milliseconds(1));
    if (!await(*r.get_handle(), part)) return std::cv_status::timeout;
  }
  handle->executing = false;
  for (auto& r : handle->runs) {
    const ert_cmd_state s = r.state();
    if (s != ERT_CMD_STATE_COMPLETED && s != ERT_CMD_STATE_NEW) throw aie_error(r, s, text_of(s));
  }
  return std::cv_status::no_timeout;
}

runlist::aie_error::aie_error(const run& r, ert_cmd_state state, const std::string& what)
    : command_error(r, state, what) {}

ert_cmd_state runlist::state() const {
  return handle->executing ? ERT_CMD_STATE_RUNNING : ERT_CMD_STATE_COMPLETED;
}
int runlist::poll() const { return handle->executing ? 0 : 1; }

void runlist::reset() {
  if (handle->executing)
    throw std::runtime_error("runlist must be idle before resetting, current state: running");
  for (auto& r : handle->runs) r.get_handle()->in_list = false;
  handle->runs.clear();
}

}  // namespace xrt
