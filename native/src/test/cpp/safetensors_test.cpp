#include "model/safetensors.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <random>

#include "model/errors.h"

namespace amanuensis {
namespace {

const std::string kHeader =
    R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
    R"("b":{"dtype":"F16","shape":[1,2],"data_offsets":[8,12]},"__metadata__":{"k":"v"}})";

std::string file_with(const std::string& header) {
  std::string bytes(8, '\0');
  for (size_t i = 0; i < 8; i++) bytes[i] = static_cast<char>(header.size() >> (8 * i));
  return bytes + header + std::string("\0\0\x80\x3f\0\0\0\x40\0\x3c\0\xc0", 12);
}

class SafetensorsTest : public ::testing::Test {
 protected:
  std::string write(const std::string& bytes) {
    path_ = ::testing::TempDir() + "safetensors_test.bin";
    std::ofstream(path_, std::ios::binary) << bytes;
    return path_;
  }
  void TearDown() override { std::remove(path_.c_str()); }
  std::string path_;
};

TEST_F(SafetensorsTest, ReadsBothTypes) {
  const Safetensors file(write(file_with(kHeader)));
  EXPECT_EQ(file.read("a"), (std::vector<float>{1, 2}));
  EXPECT_EQ(file.read("b"), (std::vector<float>{1, -2}));
  EXPECT_EQ(file.shape("b"), (std::vector<int64_t>{1, 2}));
  EXPECT_THROW(file.read("c"), BadModel);
}

TEST_F(SafetensorsTest, RowsAreReadFromTheFileWhenTheyAreWanted) {
  const std::string header = R"({"f":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},)"
                             R"("h":{"dtype":"F16","shape":[2,2],"data_offsets":[4,12]}})";
  const std::string path = write(file_with(header));
  const Safetensors file(path);
  const auto halves = file.read("h");
  const FileRows h = file.rows("h"), f = file.rows("f");
  std::vector<float> row(2);
  for (size_t i : {1u, 0u}) {
    h.read(i, row.data());
    EXPECT_EQ(row, std::vector<float>(halves.begin() + static_cast<long>(2 * i),
                                      halves.begin() + static_cast<long>(2 * i + 2)));
  }
  f.read(0, row.data());
  EXPECT_EQ(row[0], file.read("f")[0]);
  std::remove(path.c_str());  // as when a new version takes its name
  h.read(1, row.data());
  EXPECT_EQ(row[1], halves[3]);
}

TEST_F(SafetensorsTest, TensorWithoutElementsIsEmpty) {
  const std::string header = R"({"a":{"dtype":"F32","shape":[0,2],"data_offsets":[0,0]}})";
  EXPECT_TRUE(Safetensors(write(file_with(header))).read("a").empty());
}

TEST_F(SafetensorsTest, RowsOfFileThatWasWrittenToAreRefused) {
  const std::string header = R"({"h":{"dtype":"F16","shape":[3,2],"data_offsets":[0,12]}})";
  const std::string path = write(file_with(header));
  const FileRows rows = Safetensors(path).rows("h");
  std::vector<float> row(2);
  rows.read(0, row.data());
  std::ofstream(path, std::ios::binary | std::ios::app) << "more";
  EXPECT_THROW(rows.read(0, row.data()), Error);
}

TEST_F(SafetensorsTest, EveryTruncationIsRefused) {
  const std::string whole = file_with(kHeader);
  for (size_t n = 0; n < whole.size(); n++) EXPECT_THROW(Safetensors{write(whole.substr(0, n))}, Error) << n;
}

TEST_F(SafetensorsTest, OverlapsAndWrongSizesAreRefused) {
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"[8,12]", "[4,8]"},
                                 {"[8,12]", "[8,16]"},
                                 {"[2]", "[3]"},
                                 {"[2]", "[9223372036854775807]"},
                                 {"[0,8]", "[8,0]"}}) {
    std::string header = kHeader;
    header.replace(header.find(from), from.size(), to);
    EXPECT_THROW(Safetensors{write(file_with(header))}, BadModel) << from << " -> " << to;
  }
}

// Whatever the bytes are, the answer is a file that can be read or an Error; never anything else.
TEST_F(SafetensorsTest, MutationsNeverCrash) {
  const std::string whole = file_with(kHeader);
  std::mt19937 g(1);
  for (int i = 0; i < 5000; i++) {
    std::string bytes = whole;
    for (unsigned n = 1 + g() % 4; n > 0; n--) bytes[g() % bytes.size()] = static_cast<char>(g());
    try {
      const Safetensors file(write(bytes));
      for (const char* name : {"a", "b"})
        if (file.has(name)) file.read(name);
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace amanuensis
