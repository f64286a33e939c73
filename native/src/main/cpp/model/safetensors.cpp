#include "model/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "model/errors.h"
#include "model/json.h"

namespace amanuensis {

namespace {
constexpr size_t kMaxHeader = size_t{100} << 20;  // the format's own limit

float from_half(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000u) << 16;
  uint32_t exponent = (h >> 10) & 31u, mantissa = h & 1023u, bits;
  if (exponent == 31) {
    bits = sign | 0x7f800000u | mantissa << 13;
  } else if (exponent != 0) {
    bits = sign | (exponent + 112) << 23 | mantissa << 13;
  } else {
    const float tiny = static_cast<float>(mantissa) * 5.9604645e-8f;  // 2^-24
    return sign != 0 ? -tiny : tiny;
  }
  float f;
  std::memcpy(&f, &bits, sizeof f);
  return f;
}

[[noreturn]] void io_error(const std::string& path, const char* what) {
  throw Error(AM_IO, path + ": " + what + ": " + std::strerror(errno));
}
}  // namespace

MappedFile::MappedFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) io_error(path, "can't be opened");
  struct stat st{};
  const bool ok = fstat(fd, &st) == 0;
  if (!ok || !S_ISREG(st.st_mode)) {
    close(fd);
    if (!ok) io_error(path, "can't be read");
    throw Error(AM_IO, path + ": is not a regular file");
  }
  size_ = static_cast<size_t>(st.st_size);
  if (size_ > 0) {
    void* p = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (p == MAP_FAILED) io_error(path, "can't be mapped");
    data_ = static_cast<const uint8_t*>(p);
  } else {
    close(fd);
  }
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<uint8_t*>(data_), size_);
}

Safetensors::Safetensors(const std::string& path) : file_(path), path_(path) {
  const auto bad = [&](const std::string& what) { return BadModel(path + ": " + what); };
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
  for (const auto& [name, value] : json.object) {
    if (name == "__metadata__") continue;
    const auto field = [&](const char* key, Json::Kind kind) -> const Json& {
      const auto it = value.object.find(key);
      if (it == value.object.end() || it->second.kind != kind)
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
    if (offsets.size() != 2 || offsets[0].kind != Json::Kind::kNumber ||
        offsets[1].kind != Json::Kind::kNumber)
      throw bad("tensor '" + name + "' has no valid offsets");
    const auto from = static_cast<uint64_t>(offsets[0].number), to = static_cast<uint64_t>(offsets[1].number);
    if (from > to || to > data_size)
      throw bad("tensor '" + name + "' reaches beyond the end of the file: truncated?");
    if (from < to && !ranges.emplace(from, to).second)
      throw bad("tensor '" + name + "' lies over another one");
    if (type != "F16" && type != "F32") continue;  // a tensor that we read must be one of them: see at()
    if (to - from != t.elements * (t.half ? 2 : 4))
      throw bad("tensor '" + name + "' has " + std::to_string(to - from) + " bytes, which is not its shape");
    t.data = data + from;
    tensors_.emplace(name, std::move(t));
  }
  uint64_t end = 0;
  for (const auto& [from, to] : ranges) {
    if (from < end) throw bad("tensors overlap at byte " + std::to_string(from) + " of the data");
    end = to;
  }
}

const Safetensors::Tensor& Safetensors::at(const std::string& name) const {
  const auto it = tensors_.find(name);
  if (it == tensors_.end())
    throw BadModel(path_ + ": tensor '" + name + "' is missing, or neither F16 nor F32");
  return it->second;
}

const std::vector<int64_t>& Safetensors::shape(const std::string& name) const { return at(name).shape; }

std::vector<float> Safetensors::read(const std::string& name) const {
  const Tensor& t = at(name);
  std::vector<float> out(t.elements);
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

}  // namespace amanuensis
