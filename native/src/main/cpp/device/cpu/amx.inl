#include <immintrin.h>

#include <cstdint>

// Tiles of AMX: eight of 16 rows of 64 bytes. Included by files compiled for AMX machines only. The
// instructions are in assembler because GCC 12's intrinsics don't say that they read memory.
namespace amanuensis {
namespace {

constexpr int kTileRows = 16, kTileBytes = 64;     // of a row
constexpr int kByteTile = kTileRows * kTileBytes;  // elements of a tile: of bytes,
constexpr int kHalfTile = kByteTile / 2;           // of bf16,
constexpr int kWordTile = kByteTile / 4;           // of f32 or int32

/// 16 rows, `stride` bytes apart.
template <int kTile>
inline void load_tile(const void* rows, int64_t stride = kTileBytes) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(rows), "r"(stride), "i"(kTile) : "memory");
}
template <int kTile>
inline void store_tile(void* rows, int64_t stride = kTileBytes) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(rows), "r"(stride), "i"(kTile) : "memory");
}
/// int32 sums += 16 x 64 signed bytes times [64 / 4][16 columns][4].
template <int kSums, int kRows, int kColumns>
inline void add_byte_tiles() {
  asm volatile("tdpbssd %%tmm%c0, %%tmm%c1, %%tmm%c2" ::"i"(kColumns), "i"(kRows), "i"(kSums));
}
/// f32 sums += 16 x 32 bf16 times [32 / 2][16 columns][2].
template <int kSums, int kRows, int kColumns>
inline void add_half_tiles() {
  asm volatile("tdpbf16ps %%tmm%c0, %%tmm%c1, %%tmm%c2" ::"i"(kColumns), "i"(kRows), "i"(kSums));
}

/// All tiles in full size while it lives; afterwards they are released, so that switching threads stays
/// cheap. Takes 0.1 us.
class TileUse {
 public:
  TileUse() {
    static const Shape shape;
    asm volatile("ldtilecfg %0" ::"m"(shape));
  }
  ~TileUse() { asm volatile("tilerelease"); }
  TileUse(const TileUse&) = delete;
  TileUse& operator=(const TileUse&) = delete;

 private:
  // Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, "Intel AMX".
  struct alignas(64) Shape {
    Shape() {
      for (int i = 0; i < 8; i++) {
        row_bytes[i] = kTileBytes;
        rows[i] = kTileRows;
      }
    }
    uint8_t palette = 1, start_row = 0, reserved[14] = {};
    uint16_t row_bytes[16] = {};
    uint8_t rows[16] = {};
  };
};

// Sums start with a tile that is loaded from one row of zeros: a product into a tile that tilezero has just
// cleared takes 49 cycles on Sapphire Rapids instead of 16 to 19.
alignas(64) const uint8_t kZeroRow[kTileBytes] = {};

}  // namespace
}  // namespace amanuensis
