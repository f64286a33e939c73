/*
 * The C ABI of libamanuensis_xdna2.so, the only part that is linked with XRT. The engine opens it with
 * dlopen, so that a machine without XRT starts.
 *
 * A device of this interface computes int8 products on an XDNA2 NPU through programs (an xclbin and an
 * instruction stream each) made by mlir-aie's whole_array design: c[m x n] int32 = a[m x k] int8 * b[k x n]
 * int8, everything row-major. A product with longer rows than the program's k runs as several slices of k,
 * each with its own sums, which the caller adds up (exact in int32).
 *
 * Threads: all calls for one device come from one thread, its owner; send and fetch alone may come from
 * the thread that fills or reads that slot. No exception leaves. After a status other than X2_OK and
 * X2_RUNNING the device must be given to abandon() and never used again: what may still be in flight stays
 * allocated until it has ended.
 */
#ifndef AMANUENSIS_XDNA2_BACKEND_H
#define AMANUENSIS_XDNA2_BACKEND_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define X2_ABI_VERSION 1
#define X2_ENTRY "amanuensis_xdna2_backend"

typedef enum x2_status {
  X2_OK = 0,
  X2_RUNNING = 1, /* not finished within the time given: still in flight, wait again */
  X2_FAILED = 2   /* last_error() says what XRT said */
} x2_status;

typedef struct x2_device x2_device;

/* A compiled product. Programs with the same xclbin share one hardware context. */
typedef struct x2_program {
  const char* xclbin;       /* path */
  const char* kernel;       /* name in the xclbin, "MLIR_AIE" */
  const char* instructions; /* path: raw little-endian 32-bit words, or lines of hex */
  int64_t m, k, n;
} x2_program;

/* A slot: one product at a time. The host's view of its buffers: row r of slice s of the left side is at a +
 * (s * m + r) * k, of the sums at c + (s * m + r) * n, with m, k, n of the program that is going to run. */
typedef struct x2_slot {
  void* handle;
  int8_t* a;
  const int32_t* c;
  int64_t a_bytes, c_bytes;
} x2_slot;

typedef struct x2_info {
  char name[64];
  char bdf[32];
  char xrt[32];
  int32_t devices;
} x2_info;

typedef struct x2_backend {
  uint32_t abi;
  /* Of this thread's last failed call. */
  const char* (*last_error)(void);
  /* What XRT sees; opens nothing but device 0. */
  x2_status (*probe)(x2_info* info);
  x2_status (*open)(const x2_program* programs, int32_t n, x2_device** device);
  /* Ends it: at once if nothing is in flight, else when that has ended. */
  void (*abandon)(x2_device* device);
  /* Frees what was abandoned and has ended meanwhile; returns how many devices are left. Any thread. */
  int32_t (*reap)(void);
  /* rows: n rows of k, copied to the device. n, k: multiples of what the programs take. */
  x2_status (*load)(x2_device* device, const int8_t* rows, int64_t n, int64_t k, int64_t slice_k,
                    int32_t* weights);
  x2_status (*new_slot)(x2_device* device, int64_t a_bytes, int64_t c_bytes, x2_slot* slot);
  /* Makes `rows` rows of each slice visible to the device, before start. */
  x2_status (*send)(x2_device* device, void* slot, int32_t program, int32_t slices, int64_t rows);
  x2_status (*start)(x2_device* device, void* slot, int32_t program, int32_t weights);
  /* X2_OK: the slot's product is done. timeout_ms > 0. */
  x2_status (*wait)(x2_device* device, void* slot, int32_t timeout_ms);
  /* Makes `rows` rows of sums of each slice visible to the host, after wait. */
  x2_status (*fetch)(x2_device* device, void* slot, int32_t program, int32_t slices, int64_t rows);
} x2_backend;

/* X2_ENTRY: const x2_backend* amanuensis_xdna2_backend(void) */
typedef const x2_backend* (*x2_entry)(void);

#ifdef __cplusplus
}
#endif
#endif /* AMANUENSIS_XDNA2_BACKEND_H */
