#include "model/safetensors.h"

#include <sys/mman.h>

#include <cstring>

#include "model/errors.h"
#include "model/half.h"
#include "model/json.h"

namespace amanuensis {

namespace {
constexpr size_t kMaxHeader = size_t{100} << 20;  // the format's own limit
}  // namespace

MappedFile::MappedFile(std::shared_ptr<const OpenFile> file) : file_(std::move(file)) {
  if (size() == 0) return;
  void* p = mmap(nullptr, size(), PROT_READ, MAP_PRIVATE, file_->descriptor(), 0);
  if (p == MAP_FAILED) io_error(file_->path(), "can't be mapped");
  data_ = static_cast<const uint8_t*>(p);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<uint8_t*>(data_), size());
}

Safetensors::Safetensors(const std::string& path) : file_(std::make_shared<const OpenFile>(path)) {
  if (file_.size() < 8)
    throw bad("too short for a safetensors file (" + std::to_string(file_.size()) + " bytes)");
  uint64_t header = 0;
  std::memcpy(&header, file_.data(), 8);
  if (header > kMaxHeader || header > file_.size() - 8)
    throw bad("the header is longer than the file: truncated, or not safetensors");
  Json json;
  try {
    json = parse_json(reinterpret_cast<const char*>(file_.data()) + 8, header);
  } catch (const BadModel& e) {
    throw bad(e.what());
  }
  if (json.kind != Json::Kind::kObject) throw bad("the header is not a JSON object");
  const uint8_t* data = file_.data() + 8 + header;
  const size_t data_size = file_.size() - 8 - header;
  std::map<uint64_t, uint64_t> ranges;  // start -> end of each tensor that is not empty
  for (const auto& [name, value] : json.object)
    if (name != "__metadata__") add(name, value, data, data_size, ranges);
  uint64_t end = 0;
  for (const auto& [from, to] : ranges) {
    if (from < end) throw bad("tensors overlap at byte " + std::to_string(from) + " of the data");
    end = to;
  }
}

BadModel Safetensors::bad(const std::string& what) const {
  return BadModel(file_.file()->path() + ": " + what);
}

// One entry of the header; data: what follows the header.
void Safetensors::add(const std::string& name, const Json& entry, const uint8_t* data, size_t data_size,
                      std::map<uint64_t, uint64_t>& ranges) {
  const auto field = [&](const char* key, Json::Kind kind) -> const Json& {
    const auto it = entry.object.find(key);
    if (it == entry.object.end() || it->second.kind != kind)
      throw bad("tensor '" + name + "' has no valid '" + key + "'");
    return it->second;
  };
  const std::string& type = field("dtype", Json::Kind::kString).string;
  const auto& offsets = field("data_offsets", Json::Kind::kArray).array;
  Tensor t;
  t.half = type == "F16";
  t.elements = 1;
  for (const auto& d : field("shape", Json::Kind::kArray).array) {
    if (d.kind != Json::Kind::kNumber) throw bad("tensor '" + name + "' has a shape that is not numbers");
    if (d.number != 0 && t.elements > data_size / static_cast<size_t>(d.number))
      throw bad("tensor '" + name + "' is larger than the file");
    t.shape.push_back(d.number);
    t.elements *= static_cast<size_t>(d.number);
  }
  if (offsets.size() != 2 || offsets[0].kind != Json::Kind::kNumber || offsets[1].kind != Json::Kind::kNumber)
    throw bad("tensor '" + name + "' has no valid offsets");
  const auto from = static_cast<uint64_t>(offsets[0].number), to = static_cast<uint64_t>(offsets[1].number);
  if (from > to || to > data_size)
    throw bad("tensor '" + name + "' reaches beyond the end of the file: truncated?");
  if (from < to && !ranges.emplace(from, to).second) throw bad("tensor '" + name + "' lies over another one");
  if (type != "F16" && type != "F32") return;  // a tensor that we read must be one of them: see at()
  if (to - from != t.elements * (t.half ? 2 : 4))
    throw bad("tensor '" + name + "' has " + std::to_string(to - from) + " bytes, which is not its shape");
  t.data = data + from;
  tensors_.emplace(name, std::move(t));
}

const Safetensors::Tensor& Safetensors::at(const std::string& name) const {
  const auto it = tensors_.find(name);
  if (it == tensors_.end()) throw bad("tensor '" + name + "' is missing, or neither F16 nor F32");
  return it->second;
}

const std::vector<int64_t>& Safetensors::shape(const std::string& name) const { return at(name).shape; }

std::vector<float> Safetensors::read(const std::string& name) const {
  const Tensor& t = at(name);
  std::vector<float> out(t.elements);
  if (out.empty()) return out;
  if (!t.half) {
    std::memcpy(out.data(), t.data, t.elements * 4);
    return out;
  }
  for (size_t i = 0; i < t.elements; i++) {
    uint16_t h;
    std::memcpy(&h, t.data + 2 * i, 2);
    out[i] = from_half(h);
  }
  return out;
}

FileRows Safetensors::rows(const std::string& name) const {
  const Tensor& t = at(name);
  if (t.shape.size() != 2) throw bad("tensor '" + name + "' is not a matrix");
  return FileRows(file_.file(), static_cast<size_t>(t.data - file_.data()), t.half,
                  static_cast<size_t>(t.shape[1]));
}

void FileRows::read(size_t row, float* to) const {
  if (!half_) {
    file_->read(offset_ + row * columns_ * 4, to, columns_ * 4);
    return;
  }
  // The halves lie in the upper half of their floats' place; each is read before a float is written over it.
  const size_t bytes = columns_ * 2;
  auto* halves = reinterpret_cast<uint8_t*>(to) + bytes;
  file_->read(offset_ + row * bytes, halves, bytes);
  for (size_t i = 0; i < columns_; i++) {
    uint16_t h;
    std::memcpy(&h, halves + 2 * i, 2);
    const float f = from_half(h);
    std::memcpy(to + i, &f, sizeof f);
  }
}

}  // namespace amanuensis
