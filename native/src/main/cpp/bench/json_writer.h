// JSON text, appended to piece by piece.
#pragma once
#include <cstdio>
#include <string>

namespace amanuensis {

class JsonWriter {
 public:
  JsonWriter& open(const char* name, char bracket) {
    key(name);
    text_ += bracket;
    first_ = true;
    return *this;
  }
  JsonWriter& close(char bracket) {
    text_ += bracket;
    first_ = false;
    return *this;
  }
  JsonWriter& field(const char* name, const std::string& value) {
    key(name);
    text_ += '"';
    for (char c : value) {
      if (c == '"' || c == '\\') text_ += '\\';
      text_ += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    text_ += '"';
    return *this;
  }
  JsonWriter& field(const char* name, double value) {
    key(name);
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.6g", value);
    for (char& c : digits)
      if (c == ',') c = '.';  // a host program may have set a locale
    text_ += digits;
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  // A comma where one is due, then the name; null: an element of an array.
  void key(const char* name) {
    if (!first_) text_ += ',';
    first_ = false;
    if (name != nullptr) text_ += std::string("\"") + name + "\":";
  }
  std::string text_;
  bool first_ = true;
};

}  // namespace amanuensis
