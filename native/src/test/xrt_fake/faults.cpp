#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "fake.h"

namespace xrt_fake {

namespace {
struct Entry {
  int64_t count, value;
};
struct Table {
  std::mutex mutex;
  std::map<std::string, Entry> entries;
  std::string control;
  struct timespec changed{};
  ino_t file = 0;  // of a file replaced by rename within a tick of the clock, this alone differs
  bool started = false;
};
Table& table() {
  static auto* t = new Table;
  return *t;
}

std::map<std::string, Entry> parse(std::string text) {
  for (char& c : text)
    if (c == ',') c = ' ';
  std::map<std::string, Entry> entries;
  std::istringstream in(text);
  for (std::string word; in >> word;) {
    std::istringstream parts(word);
    std::string name, count, value;
    std::getline(parts, name, ':');
    std::getline(parts, count, ':');
    std::getline(parts, value, ':');
    entries[name] = {count.empty() ? 1 : std::stoll(count), value.empty() ? 1 : std::stoll(value)};
  }
  return entries;
}

// With the table's mutex held.
void refresh(Table& t) {
  if (!t.started) {
    t.started = true;
    if (const char* faults = std::getenv("XRT_FAKE_FAULTS")) t.entries = parse(faults);
    if (const char* control = std::getenv("XRT_FAKE_CONTROL")) t.control = control;
  }
  struct stat s{};
  if (t.control.empty() || stat(t.control.c_str(), &s) != 0) return;
  if (s.st_mtim.tv_sec == t.changed.tv_sec && s.st_mtim.tv_nsec == t.changed.tv_nsec && s.st_ino == t.file)
    return;
  t.changed = s.st_mtim;
  t.file = s.st_ino;
  std::ifstream in(t.control);
  t.entries = parse({std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()});
}
}  // namespace

void violation(const std::string& what) {
  std::fprintf(stderr, "XRT FAKE: VIOLATION: %s\n", what.c_str());
  std::fflush(stderr);
  std::abort();
}

Fault fault(const char* name) {
  Table& t = table();
  std::lock_guard<std::mutex> lock(t.mutex);
  refresh(t);
  const auto at = t.entries.find(name);
  if (at == t.entries.end() || at->second.count == 0) return {};
  if (at->second.count > 0) at->second.count--;
  return {true, at->second.value};
}

Fault due(const char* name) {
  Table& t = table();
  std::lock_guard<std::mutex> lock(t.mutex);
  refresh(t);
  const auto at = t.entries.find(name);
  if (at == t.entries.end() || at->second.count == 0) return {};
  return {true, at->second.value};
}

void wait_for_release() {
  while (!due("release")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

void set_faults(const std::string& text) {
  Table& t = table();
  std::lock_guard<std::mutex> lock(t.mutex);
  t.started = true;
  t.control.clear();
  t.entries = parse(text);
}

int64_t number_from(const char* variable, int64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr || *text == 0 ? otherwise : std::atoll(text);
}

Counters& counters() {
  static auto* c = new Counters;
  return *c;
}

}  // namespace xrt_fake

/// For tests in the same process: found with dlsym.
extern "C" __attribute__((visibility("default"))) void xrt_fake_faults(const char* text) {
  xrt_fake::set_faults(text);
}
extern "C" __attribute__((visibility("default"))) int64_t xrt_fake_counter(const char* name) {
  const std::string n = name;
  auto& c = xrt_fake::counters();
  if (n == "runs") return c.runs;
  if (n == "to_device") return c.to_device;
  if (n == "from_device") return c.from_device;
  if (n == "contexts") return c.contexts;
  if (n == "buffers") return c.buffers;
  if (n == "clones") return c.clones;
  if (n == "deepest") return c.deepest;
  if (n == "lists") return c.lists;
  if (n == "misplaced") return c.misplaced;
  return -1;
}
