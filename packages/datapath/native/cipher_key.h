// One key: its cached cipher contexts, and how one packet is sealed and opened under it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "batch.h"
#include "runtime.h"

namespace riposte {

/** In the order of ciphers.ts. */
enum class CipherId : uint8_t { kAes128Gcm, kAes256Gcm, kChaCha20Poly1305 };
constexpr int kCipherCount = 3;

constexpr size_t kMaxKeyBytes = 32;
constexpr size_t kIvBytes = 12;
constexpr size_t kSampleBytes = 16;
/** Associated data of a key that is not in the packet. */
constexpr size_t kMaxPrefixBytes = 64;
/** RFC 9001 section 5.4.2: the sample starts as if the packet number had four bytes. */
constexpr size_t kSampleOffset = 4;

constexpr size_t KeyBytes(CipherId cipher) { return cipher == CipherId::kAes128Gcm ? 16 : 32; }

/** The bytes of one packet: `header` bytes in the clear, `aad` of them authenticated, then `body` bytes. */
struct PacketView {
  uint8_t* start;
  size_t header;
  size_t aad;
  /** Without the tag. */
  size_t body;
  uint64_t number;
};

class CipherKey {
 public:
  CipherKey() = default;
  /** Wipes everything. */
  ~CipherKey();
  CipherKey(const CipherKey&) = delete;
  CipherKey& operator=(const CipherKey&) = delete;

  /** `key` has `KeyBytes(cipher)` bytes; `iv` (12 bytes) null for netcode's nonce; `header_key` null for none. */
  bool Init(CipherId cipher, const uint8_t* key, const uint8_t* prefix, size_t prefix_length, const uint8_t* iv,
            const uint8_t* header_key);

  bool protects_header() const { return header_ != nullptr; }

  /** Encrypts the body in place and writes the tag behind it. */
  bool Seal(const PacketView& packet);
  /** Decrypts the body in place if the tag behind it authenticates it; else changes nothing. It fits in `scratch`. */
  bool Open(const PacketView& packet, uint8_t* scratch);
  /** The five bytes that hide first byte and packet number, RFC 9001 section 5.4. */
  bool HeaderMask(const uint8_t* sample, uint8_t mask[5]);

 private:
  void MakeNonce(uint64_t number, uint8_t nonce[kIvBytes]) const;
  /** A context for one direction, keyed; null when OpenSSL refuses. */
  EvpContext* NewContext(bool seal) const;

  CipherId cipher_ = CipherId::kChaCha20Poly1305;
  bool has_iv_ = false;
  uint8_t prefix_length_ = 0;
  uint8_t key_[kMaxKeyBytes] = {};
  uint8_t iv_[kIvBytes] = {};
  uint8_t prefix_[kMaxPrefixBytes] = {};
  // Made on first use: most keys serve one direction.
  EvpContext* seal_ = nullptr;
  EvpContext* open_ = nullptr;
  EvpContext* header_ = nullptr;
};

}  // namespace riposte
