// A safetensors file, mapped into memory and checked before use.
// Format: https://huggingface.co/docs/safetensors (8-byte header length, JSON header, data).
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/errors.h"
#include "model/json.h"
#include "model/open_file.h"

namespace amanuensis {

/// A read-only mapping of a whole file.
class MappedFile {
 public:
  explicit MappedFile(std::shared_ptr<const OpenFile> file);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  const uint8_t* data() const { return data_; }
  size_t size() const { return file_->size(); }
  const std::shared_ptr<const OpenFile>& file() const { return file_; }

 private:
  std::shared_ptr<const OpenFile> file_;
  const uint8_t* data_ = nullptr;
};

/// A matrix that stays in its file: for a table of which each step needs a few rows. Any thread.
class FileRows {
 public:
  FileRows(std::shared_ptr<const OpenFile> file, size_t offset, bool half, size_t columns)
      : file_(std::move(file)), offset_(offset), half_(half), columns_(columns) {}
  size_t columns() const { return columns_; }
  /// One row as f32. Errors of OpenFile::read.
  void read(size_t row, float* to) const;

 private:
  std::shared_ptr<const OpenFile> file_;
  size_t offset_;  // of the first row
  bool half_;      // F16, else F32
  size_t columns_;
};

/// The tensors of a file by name. Throws BadModel, with the path, for what a file lacks or has wrong. Any
/// thread.
class Safetensors {
 public:
  /// Maps the file and checks its header: every offset, shape and size.
  explicit Safetensors(const std::string& path);
  /// Whether there is such a tensor, in F16 or F32: there are no others to this class.
  bool has(const std::string& name) const { return tensors_.count(name) > 0; }
  const std::vector<int64_t>& shape(const std::string& name) const;
  /// The tensor as f32 (from F16 or F32), row-major.
  std::vector<float> read(const std::string& name) const;
  /// A tensor of two dimensions, whose rows are read when they are wanted; outlives this.
  FileRows rows(const std::string& name) const;

 private:
  struct Tensor {
    bool half = false;
    std::vector<int64_t> shape;
    const uint8_t* data = nullptr;  // in file_; of any alignment
    size_t elements = 0;
  };
  BadModel bad(const std::string& what) const;
  void add(const std::string& name, const Json& entry, const uint8_t* data, size_t data_size,
           std::map<uint64_t, uint64_t>& ranges);
  const Tensor& at(const std::string& name) const;
  MappedFile file_;
  std::map<std::string, Tensor> tensors_;
};

}  // namespace amanuensis
