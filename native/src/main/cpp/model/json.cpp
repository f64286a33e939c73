#include "model/json.h"

#include <cstring>
#include <limits>

#include "model/errors.h"

namespace amanuensis {

namespace {
constexpr int kMaxDepth = 16;

class Parser {
 public:
  Parser(const char* text, size_t size) : begin_(text), at_(text), end_(text + size) {}

  Json whole() {
    Json value = parse(0);
    space();
    if (at_ != end_) fail("text after the end");
    return value;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw BadModel("JSON header, byte " + std::to_string(at_ - begin_) + ": " + what);
  }
  void space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) at_++;
  }
  bool take(char c) {
    space();
    if (at_ == end_ || *at_ != c) return false;
    at_++;
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail(std::string("'") + c + "' expected");
  }
  void word(const char* w) {
    const size_t n = std::strlen(w);
    if (static_cast<size_t>(end_ - at_) < n || std::memcmp(at_, w, n) != 0) fail("unknown word");
    at_ += n;
  }

  Json parse(int depth) {
    if (depth > kMaxDepth) fail("nested too deeply");
    space();
    if (at_ == end_) fail("value expected");
    Json v;
    switch (*at_) {
      case '{':
        return object(depth);
      case '[':
        return array(depth);
      case '"':
        v.kind = Json::Kind::kString;
        v.string = text();
        return v;
      case 't':
      case 'f':
        v.kind = Json::Kind::kBoolean;
        v.boolean = *at_ == 't';
        word(v.boolean ? "true" : "false");
        return v;
      case 'n':
        word("null");
        return v;
      default:
        v.kind = Json::Kind::kNumber;
        v.number = number();
        return v;
    }
  }

  Json object(int depth) {
    Json v;
    v.kind = Json::Kind::kObject;
    expect('{');
    if (take('}')) return v;
    do {
      space();
      std::string key = text();
      expect(':');
      if (!v.object.emplace(key, parse(depth + 1)).second) fail("key '" + key + "' twice");
    } while (take(','));
    expect('}');
    return v;
  }

  Json array(int depth) {
    Json v;
    v.kind = Json::Kind::kArray;
    expect('[');
    if (take(']')) return v;
    do v.array.push_back(parse(depth + 1));
    while (take(','));
    expect(']');
    return v;
  }

  int64_t number() {
    if (at_ == end_ || *at_ < '0' || *at_ > '9') fail("non-negative integer expected");
    int64_t n = 0;
    for (; at_ != end_ && *at_ >= '0' && *at_ <= '9'; at_++) {
      if (n > (std::numeric_limits<int64_t>::max() - 9) / 10) fail("number too large");
      n = n * 10 + (*at_ - '0');
    }
    if (at_ != end_ && (*at_ == '.' || *at_ == 'e' || *at_ == 'E')) fail("integer expected");
    return n;
  }

  // Escapes other than \uXXXX are decoded; \uXXXX is kept as written, since no name we look up needs it.
  std::string text() {
    if (at_ == end_ || *at_ != '"') fail("string expected");
    std::string s;
    for (at_++; at_ != end_ && *at_ != '"'; at_++) {
      if (static_cast<unsigned char>(*at_) < 0x20) fail("control character in a string");
      if (*at_ != '\\') {
        s += *at_;
        continue;
      }
      if (++at_ == end_) break;
      static const char kFrom[] = "\"\\/bfnrt", kTo[] = "\"\\/\b\f\n\r\t";
      if (*at_ == 'u') {
        s += "\\u";
        continue;
      }
      const char* found = std::strchr(kFrom, *at_);
      if (found == nullptr || *found == '\0') fail("unknown escape");
      s += kTo[found - kFrom];
    }
    if (at_ == end_) fail("string without an end");
    at_++;
    return s;
  }

  const char *begin_, *at_, *end_;
};
}  // namespace

Json parse_json(const char* text, size_t size) { return Parser(text, size).whole(); }

}  // namespace amanuensis
