// The native view of a `PacketBatch`: a buffer, and the columns of its descriptors.
//
// JavaScript owns both and may detach, shrink or alias them between any two calls, so a view lives for
// one call, and whatever is read from a column is read once and checked before it is used.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace riposte {

/** `key` of a packet that goes as it is. */
constexpr int32_t kNoKey = -1;
/** The tag of all three AEADs. */
constexpr size_t kTagBytes = 16;

/** One read or write of a column: never repeated by the compiler, whatever aliases the memory. */
inline int32_t Load(const int32_t* from) { return __atomic_load_n(from, __ATOMIC_RELAXED); }
inline uint8_t Load(const uint8_t* from) { return __atomic_load_n(from, __ATOMIC_RELAXED); }
inline void Store(int32_t* to, int32_t value) { __atomic_store_n(to, value, __ATOMIC_RELAXED); }
inline void Store(uint8_t* to, uint8_t value) { __atomic_store_n(to, value, __ATOMIC_RELAXED); }
inline double Load(const double* from) {
  double value;
  __atomic_load(from, &value, __ATOMIC_RELAXED);
  return value;
}
inline void Store(double* to, double value) { __atomic_store(to, &value, __ATOMIC_RELAXED); }

struct Batch {
  uint8_t* buffer;
  /** At most INT32_MAX. */
  size_t bytes;
  /** Descriptors there is room for. */
  uint32_t capacity;
  /** Descriptors in use; at most `capacity`. */
  uint32_t count;

  // In the order of packet-batch.ts.
  double* packet_number;
  int32_t* offset;
  int32_t* length;
  int32_t* path;
  int32_t* key;
  int32_t* header_length;
  int32_t* aad_length;
  uint8_t* ecn;
  uint8_t* opened;
  uint8_t* refused;

  /** True when `size` bytes at `start` lie within the buffer. */
  bool Holds(int64_t start, int64_t size) const {
    return start >= 0 && size >= 0 && start <= static_cast<int64_t>(bytes) &&
           size <= static_cast<int64_t>(bytes) - start;
  }
};

/** Bytes of one descriptor; packet-batch.ts leaves the last one free. */
constexpr size_t kDescriptorBytes = 8 + 6 * 4 + 4;

/** Reads `batch.buffer` and `batch.descriptors`; false with an error thrown. `count` becomes 0. */
bool ReadBatch(napi_env env, napi_value buffer, napi_value descriptors, Batch* batch);

/** The same with `batch.count`. */
bool ReadBatch(napi_env env, napi_value buffer, napi_value descriptors, napi_value count, Batch* batch);

}  // namespace riposte
