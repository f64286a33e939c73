// A small strict JSON reader (RFC 8259) for file headers.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace amanuensis {

/// A parsed value. Numbers must be non-negative integers: headers have no others.
struct Json {
  enum class Kind { kNull, kBoolean, kNumber, kString, kArray, kObject };
  Kind kind = Kind::kNull;
  bool boolean = false;
  int64_t number = 0;
  std::string string;
  std::vector<Json> array;
  std::map<std::string, Json> object;
};

/// Parses a whole text; throws BadModel with the offset of the first fault. Nesting is limited to 16.
Json parse_json(const char* text, size_t size);

}  // namespace amanuensis
