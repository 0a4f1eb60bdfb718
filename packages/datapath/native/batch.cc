#include "batch.h"

#include "js.h"

namespace riposte {

namespace {

constexpr uint32_t kMaxCapacity = 65'536;

}  // namespace

bool ReadBatch(napi_env env, napi_value buffer, napi_value descriptors, Batch* batch) {
  if (!ReadBytes(env, buffer, "buffer", &batch->buffer, &batch->bytes)) return false;
  if (batch->bytes > INT32_MAX) {
    ThrowRange(env, "buffer must have at most %d bytes, not %zu", INT32_MAX, batch->bytes);
    return false;
  }
  void* data = nullptr;
  size_t bytes = 0;
  if (napi_get_arraybuffer_info(env, descriptors, &data, &bytes) != napi_ok) {
    ThrowType(env, "descriptors must be an ArrayBuffer");
    return false;
  }
  const size_t capacity = data == nullptr ? 0 : bytes / kDescriptorBytes;
  if (capacity > kMaxCapacity || reinterpret_cast<uintptr_t>(data) % alignof(double) != 0) {
    ThrowRange(env, "descriptors must be aligned and at most %u, not %zu", kMaxCapacity, capacity);
    return false;
  }
  auto* start = static_cast<uint8_t*>(data);
  batch->capacity = static_cast<uint32_t>(capacity);
  batch->count = 0;
  batch->packet_number = reinterpret_cast<double*>(start);
  auto* words = reinterpret_cast<int32_t*>(start == nullptr ? nullptr : start + 8 * capacity);
  int32_t** const columns[] = {&batch->offset, &batch->length,        &batch->path,
                               &batch->key,    &batch->header_length, &batch->aad_length};
  for (int32_t** column : columns) {
    *column = words;
    if (words != nullptr) words += capacity;
  }
  auto* octets = reinterpret_cast<uint8_t*>(words);
  uint8_t** const flags[] = {&batch->ecn, &batch->opened, &batch->refused};
  for (uint8_t** column : flags) {
    *column = octets;
    if (octets != nullptr) octets += capacity;
  }
  return true;
}

bool ReadBatch(napi_env env, napi_value buffer, napi_value descriptors, napi_value count, Batch* batch) {
  if (!ReadBatch(env, buffer, descriptors, batch)) return false;
  int64_t used = 0;
  if (!ReadInteger(env, count, "count", 0, batch->capacity, &used)) return false;
  batch->count = static_cast<uint32_t>(used);
  return true;
}

}  // namespace riposte
