// A safetensors file, mapped into memory and checked before use.
// Format: https://huggingface.co/docs/safetensors (8-byte header length, JSON header, data).
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace amanuensis {

/// A read-only mapping of a whole file.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

class Safetensors {
 public:
  explicit Safetensors(const std::string& path);
  bool has(const std::string& name) const { return tensors_.count(name) > 0; }
  /// Shape of a tensor; BadModel if it is missing.
  const std::vector<int64_t>& shape(const std::string& name) const;
  /// The tensor as f32 (from F16 or F32), row-major.
  std::vector<float> read(const std::string& name) const;

 private:
  struct Tensor {
    bool half = false;
    std::vector<int64_t> shape;
    const uint8_t* data = nullptr;
    size_t elements = 0;
  };
  const Tensor& at(const std::string& name) const;
  MappedFile file_;
  std::string path_;
  std::map<std::string, Tensor> tensors_;
};

}  // namespace amanuensis
