// `PacketProtection`: keys by handle, and whole batches sealed, unprotected and opened in place.
#include <cmath>
#include <cstdlib>
#include <new>

#include "batch.h"
#include "cipher_key.h"
#include "classes.h"
#include "js.h"

namespace riposte {

namespace {

constexpr int32_t kMaxKeys = 1 << 20;
/** Of one packet, tag included: no UDP datagram has more. */
constexpr int64_t kMaxPacketBytes = 65'535;
constexpr double kMaxPacketNumber = 9'007'199'254'740'991;

class PacketProtection : public Wrapped {
 public:
  PacketProtection() : Wrapped{Kind::kPacketProtection} {}

  ~PacketProtection() {
    for (int32_t i = 0; i < used_; i += 1) delete slots_[i].key;
    free(slots_);
    if (scratch_ != nullptr) GetRuntime().openssl.cleanse(scratch_, kMaxPacketBytes);
    free(scratch_);
  }

  PacketProtection(const PacketProtection&) = delete;
  PacketProtection& operator=(const PacketProtection&) = delete;

  int32_t count() const { return count_; }

  /** Takes the key; -1, and deletes it, when there are too many. */
  int32_t Add(CipherKey* key) {
    int32_t handle = free_;
    if (handle >= 0) {
      free_ = slots_[handle].next_free;
    } else if (used_ < capacity_ || Grow()) {
      handle = used_++;
    } else {
      delete key;
      return -1;
    }
    slots_[handle].key = key;
    count_ += 1;
    return handle;
  }

  CipherKey* Find(int64_t handle) const { return handle >= 0 && handle < used_ ? slots_[handle].key : nullptr; }

  /** Wipes the key; the handle must be known. */
  void Release(int64_t handle) {
    delete slots_[handle].key;
    slots_[handle] = {nullptr, free_};
    free_ = static_cast<int32_t>(handle);
    count_ -= 1;
  }

  /** Room for the plaintext of one packet; null when there is no memory. */
  uint8_t* scratch() {
    if (scratch_ == nullptr) scratch_ = static_cast<uint8_t*>(malloc(kMaxPacketBytes));
    return scratch_;
  }

 private:
  struct Slot {
    CipherKey* key;
    int32_t next_free;
  };

  bool Grow() {
    const int32_t capacity = capacity_ == 0 ? 16 : 2 * capacity_;
    if (capacity > kMaxKeys) return false;
    auto* slots = static_cast<Slot*>(realloc(slots_, sizeof(Slot) * static_cast<size_t>(capacity)));
    if (slots == nullptr) return false;
    slots_ = slots;
    capacity_ = capacity;
    return true;
  }

  Slot* slots_ = nullptr;
  int32_t capacity_ = 0;
  int32_t used_ = 0;
  int32_t count_ = 0;
  int32_t free_ = -1;
  uint8_t* scratch_ = nullptr;
};

PacketProtection* Self(napi_env env, napi_value self) {
  return static_cast<PacketProtection*>(Unwrap(env, self, Kind::kPacketProtection));
}

void Finalize(napi_env, void* data, void*) { delete static_cast<PacketProtection*>(data); }

napi_value Construct(napi_env env, napi_callback_info info) {
  if (!IsConstruction(env, info)) return nullptr;
  Arguments<1> arguments(env, info);
  auto* protection = new (std::nothrow) PacketProtection();
  if (protection == nullptr) return ThrowRange(env, "no memory");
  if (napi_wrap(env, arguments.self, protection, Finalize, nullptr, nullptr) == napi_ok) return arguments.self;
  delete protection;
  return ThrowType(env, "illegal receiver");
}

/** Bytes of an optional argument: null for undefined. False with an error thrown when it has not `wanted` bytes. */
bool ReadOptional(napi_env env, napi_value value, const char* name, size_t wanted, uint8_t** out) {
  napi_valuetype type = napi_undefined;
  napi_typeof(env, value, &type);
  *out = nullptr;
  if (type == napi_undefined) return true;
  size_t length = 0;
  if (!ReadBytes(env, value, name, out, &length)) return false;
  if (length == wanted) return true;
  ThrowRange(env, "%s must have %zu bytes, not %zu", name, wanted, length);
  return false;
}

napi_value AddKey(napi_env env, napi_callback_info info) {
  Arguments<5> arguments(env, info);
  PacketProtection* self = Self(env, arguments.self);
  if (self == nullptr) return nullptr;
  uint8_t* key = nullptr;
  uint8_t* prefix = nullptr;
  uint8_t* iv = nullptr;
  uint8_t* header_key = nullptr;
  size_t key_length = 0;
  size_t prefix_length = 0;
  int64_t cipher_index = 0;
  if (!ReadBytes(env, arguments[0], "key", &key, &key_length) ||
      !ReadBytes(env, arguments[1], "aadPrefix", &prefix, &prefix_length) ||
      !ReadInteger(env, arguments[2], "cipher", 0, kCipherCount - 1, &cipher_index)) {
    return nullptr;
  }
  const auto cipher = static_cast<CipherId>(cipher_index);
  if (key_length != KeyBytes(cipher)) {
    return ThrowRange(env, "key must have %zu bytes, not %zu", KeyBytes(cipher), key_length);
  }
  if (prefix_length > kMaxPrefixBytes) {
    return ThrowRange(env, "aadPrefix must have at most %zu bytes, not %zu", kMaxPrefixBytes, prefix_length);
  }
  if (!ReadOptional(env, arguments[3], "iv", kIvBytes, &iv) ||
      !ReadOptional(env, arguments[4], "headerProtectionKey", KeyBytes(cipher), &header_key)) {
    return nullptr;
  }
  auto* made = new (std::nothrow) CipherKey();
  if (made == nullptr) return ThrowRange(env, "no memory for a key");
  if (!made->Init(cipher, key, prefix, prefix_length, iv, header_key)) {
    delete made;
    return ThrowRange(env, "OpenSSL refuses the key");
  }
  const int32_t handle = self->Add(made);
  return handle < 0 ? ThrowRange(env, "at most %d keys", kMaxKeys) : Integer(env, handle);
}

napi_value ReleaseKey(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  PacketProtection* self = Self(env, arguments.self);
  int64_t handle = 0;
  if (self == nullptr || !ReadInteger(env, arguments[0], "handle", INT32_MIN, INT32_MAX, &handle)) return nullptr;
  if (self->Find(handle) == nullptr) return ThrowRange(env, "unknown key %d", static_cast<int>(handle));
  self->Release(handle);
  return nullptr;
}

napi_value KeyCount(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  PacketProtection* self = Self(env, arguments.self);
  return self == nullptr ? nullptr : Integer(env, self->count());
}

/** Receiver and batch of a call; false with an error thrown. */
bool SelfAndBatch(napi_env env, napi_callback_info info, PacketProtection** self, Batch* batch) {
  Arguments<3> arguments(env, info);
  *self = Self(env, arguments.self);
  return *self != nullptr && ReadBatch(env, arguments[0], arguments[1], arguments[2], batch);
}

/** One descriptor, read once. */
struct Descriptor {
  int64_t offset;
  int64_t length;
  int64_t header;
  int64_t aad;

  Descriptor(const Batch& batch, uint32_t i)
      : offset(Load(batch.offset + i)),
        length(Load(batch.length + i)),
        header(Load(batch.header_length + i)),
        aad(Load(batch.aad_length + i)) {}

  /** True when the packet, with `extra` bytes behind it, lies in the buffer and its header in the packet. */
  bool FitsIn(const Batch& batch, int64_t extra) const {
    return batch.Holds(offset, length + extra) && length + extra <= kMaxPacketBytes && aad >= 0 && aad <= header &&
           header >= 0;
  }
};

bool IsPacketNumber(double number) {
  return number >= 0 && number <= kMaxPacketNumber && number == std::floor(number);
}

/** RFC 9001 section 5.4.1: the bits of the first byte that are hidden. */
uint8_t HiddenBits(uint8_t first) { return (first & 0x80) != 0 ? 0x0f : 0x1f; }

napi_value Seal(napi_env env, napi_callback_info info) {
  PacketProtection* self;
  Batch batch;
  if (!SelfAndBatch(env, info, &self, &batch)) return nullptr;
  for (uint32_t i = 0; i < batch.count; i += 1) {
    const int32_t handle = Load(batch.key + i);
    if (handle == kNoKey) continue;
    CipherKey* key = self->Find(handle);
    if (key == nullptr) return ThrowRange(env, "unknown key %d", handle);
    const Descriptor packet(batch, i);
    if (!packet.FitsIn(batch, kTagBytes) || packet.header > packet.length) {
      return ThrowRange(env, "packet %u does not fit its slot with its header and tag", i);
    }
    const double number = Load(batch.packet_number + i);
    if (!IsPacketNumber(number)) return ThrowRange(env, "packet %u has the number %.17g", i, number);
    uint8_t* const start = batch.buffer + packet.offset;
    const auto header = static_cast<size_t>(packet.header);
    const auto body = static_cast<size_t>(packet.length - packet.header);
    const uint8_t first = packet.length > 0 ? Load(start) : 0;
    const size_t number_length = (first & 3) + 1u;
    if (key->protects_header() && (header <= number_length || body + number_length < kSampleOffset)) {
      return ThrowRange(env, "packet %u is too short for header protection", i);
    }
    if (!key->Seal({start, header, static_cast<size_t>(packet.aad), body, static_cast<uint64_t>(number)})) {
      return ThrowRange(env, "packet %u could not be sealed", i);
    }
    if (key->protects_header()) {
      uint8_t* const at = start + header - number_length;
      uint8_t mask[5];
      if (!key->HeaderMask(at + kSampleOffset, mask)) return ThrowRange(env, "packet %u could not be sealed", i);
      Store(start, static_cast<uint8_t>(first ^ (mask[0] & HiddenBits(first))));
      for (size_t byte = 0; byte < number_length; byte += 1) at[byte] ^= mask[1 + byte];
    }
    Store(batch.length + i, static_cast<int32_t>(packet.length + static_cast<int64_t>(kTagBytes)));
    Store(batch.key + i, kNoKey);
  }
  return nullptr;
}

napi_value Open(napi_env env, napi_callback_info info) {
  PacketProtection* self;
  Batch batch;
  if (!SelfAndBatch(env, info, &self, &batch)) return nullptr;
  uint8_t* const scratch = self->scratch();
  if (scratch == nullptr) return ThrowRange(env, "no memory");
  bool forged = false;
  for (uint32_t i = 0; i < batch.count; i += 1) {
    const int32_t handle = Load(batch.key + i);
    if (handle == kNoKey) continue;
    const Descriptor packet(batch, i);
    if (!packet.FitsIn(batch, 0)) return ThrowRange(env, "packet %u does not fit its slot with its header", i);
    CipherKey* key = self->Find(handle);
    const int64_t body = packet.length - packet.header - static_cast<int64_t>(kTagBytes);
    const double number = Load(batch.packet_number + i);
    if (key == nullptr || body < 0 || !IsPacketNumber(number)) continue;
    const PacketView view = {batch.buffer + packet.offset, static_cast<size_t>(packet.header),
                             static_cast<size_t>(packet.aad), static_cast<size_t>(body), static_cast<uint64_t>(number)};
    if (!key->Open(view, scratch)) {
      forged = true;
      continue;
    }
    Store(batch.length + i, static_cast<int32_t>(packet.length - static_cast<int64_t>(kTagBytes)));
    Store(batch.opened + i, 1);
  }
  // OpenSSL may have noted the failure for this thread, where Node's own calls would find it.
  if (forged) GetRuntime().openssl.clear_errors();
  return nullptr;
}

napi_value Unprotect(napi_env env, napi_callback_info info) {
  PacketProtection* self;
  Batch batch;
  if (!SelfAndBatch(env, info, &self, &batch)) return nullptr;
  for (uint32_t i = 0; i < batch.count; i += 1) {
    const int32_t handle = Load(batch.key + i);
    if (handle == kNoKey) continue;
    const Descriptor packet(batch, i);
    if (!batch.Holds(packet.offset, packet.length)) return ThrowRange(env, "packet %u does not fit its slot", i);
    CipherKey* key = self->Find(handle);
    const int64_t sample = packet.header + static_cast<int64_t>(kSampleOffset);
    uint8_t mask[5];
    if (key == nullptr || !key->protects_header() || packet.header < 1 ||
        sample + static_cast<int64_t>(kSampleBytes) > packet.length ||
        !key->HeaderMask(batch.buffer + packet.offset + sample, mask)) {
      Store(batch.packet_number + i, -1.0);
      continue;
    }
    uint8_t* const start = batch.buffer + packet.offset;
    const uint8_t hidden = Load(start);
    const auto first = static_cast<uint8_t>(hidden ^ (mask[0] & HiddenBits(hidden)));
    Store(start, first);
    const int64_t number_length = (first & 3) + 1;
    uint32_t number = 0;
    for (int64_t byte = 0; byte < number_length; byte += 1) {
      uint8_t& at = start[packet.header + byte];
      at = static_cast<uint8_t>(at ^ mask[1 + byte]);
      number = number << 8 | at;
    }
    Store(batch.packet_number + i, static_cast<double>(number));
    Store(batch.header_length + i, static_cast<int32_t>(packet.header + number_length));
    Store(batch.aad_length + i, static_cast<int32_t>(packet.header + number_length));
  }
  return nullptr;
}

}  // namespace

bool ExportPacketProtection(napi_env env, napi_value exports) {
  const napi_property_descriptor properties[] = {
      Getter("keyCount", KeyCount), Method("addKey", AddKey), Method("releaseKey", ReleaseKey),
      Method("seal", Seal),         Method("open", Open),     Method("unprotect", Unprotect),
  };
  return ExportClass(env, exports, "PacketProtection", Construct, properties, sizeof properties / sizeof *properties);
}

}  // namespace riposte
