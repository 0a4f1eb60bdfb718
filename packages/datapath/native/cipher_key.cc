#include "cipher_key.h"

#include <cstring>

namespace riposte {

namespace {

const OpenSsl& Ssl() { return GetRuntime().openssl; }

const EvpCipher* AeadOf(CipherId cipher) {
  switch (cipher) {
    case CipherId::kAes128Gcm:
      return Ssl().aes_128_gcm();
    case CipherId::kAes256Gcm:
      return Ssl().aes_256_gcm();
    case CipherId::kChaCha20Poly1305:
      return Ssl().chacha20_poly1305();
  }
  return nullptr;
}

const EvpCipher* HeaderCipherOf(CipherId cipher) {
  switch (cipher) {
    case CipherId::kAes128Gcm:
      return Ssl().aes_128_ecb();
    case CipherId::kAes256Gcm:
      return Ssl().aes_256_ecb();
    case CipherId::kChaCha20Poly1305:
      return Ssl().chacha20();
  }
  return nullptr;
}

/** Feeds the key's prefix and the packet's own associated data, in one call where they are short. */
template <typename Update>
bool AddAssociatedData(Update update, EvpContext* context, const uint8_t* prefix, size_t prefix_length,
                       const uint8_t* data, size_t length) {
  int ignored = 0;
  constexpr size_t kShort = 32;
  if (prefix_length > 0 && length > 0 && length <= kShort) {
    uint8_t joined[kMaxPrefixBytes + kShort];
    memcpy(joined, prefix, prefix_length);
    memcpy(joined + prefix_length, data, length);
    return update(context, nullptr, &ignored, joined, static_cast<int>(prefix_length + length)) == 1;
  }
  if (prefix_length > 0 && update(context, nullptr, &ignored, prefix, static_cast<int>(prefix_length)) != 1) {
    return false;
  }
  return length == 0 || update(context, nullptr, &ignored, data, static_cast<int>(length)) == 1;
}

}  // namespace

CipherKey::~CipherKey() {
  // OpenSSL wipes a context's key when it frees it.
  if (seal_ != nullptr) Ssl().context_free(seal_);
  if (open_ != nullptr) Ssl().context_free(open_);
  if (header_ != nullptr) Ssl().context_free(header_);
  Ssl().cleanse(key_, sizeof key_);
  Ssl().cleanse(iv_, sizeof iv_);
}

bool CipherKey::Init(CipherId cipher, const uint8_t* key, const uint8_t* prefix, size_t prefix_length,
                     const uint8_t* iv, const uint8_t* header_key) {
  cipher_ = cipher;
  memcpy(key_, key, KeyBytes(cipher));
  if (prefix_length > 0) memcpy(prefix_, prefix, prefix_length);
  prefix_length_ = static_cast<uint8_t>(prefix_length);
  has_iv_ = iv != nullptr;
  if (has_iv_) memcpy(iv_, iv, kIvBytes);
  if (header_key == nullptr) return true;
  header_ = Ssl().context_new();
  return header_ != nullptr &&
         Ssl().encrypt_init(header_, HeaderCipherOf(cipher), nullptr, header_key, nullptr) == 1 &&
         Ssl().set_padding(header_, 0) == 1;
}

bool CipherKey::Seal(const PacketView& packet) {
  if (seal_ == nullptr && (seal_ = NewContext(true)) == nullptr) return false;
  uint8_t nonce[kIvBytes];
  MakeNonce(packet.number, nonce);
  uint8_t* const body = packet.start + packet.header;
  int length = 0;
  return Ssl().encrypt_init(seal_, nullptr, nullptr, nullptr, nonce) == 1 &&
         AddAssociatedData(Ssl().encrypt_update, seal_, prefix_, prefix_length_, packet.start, packet.aad) &&
         (packet.body == 0 ||
          Ssl().encrypt_update(seal_, body, &length, body, static_cast<int>(packet.body)) == 1) &&
         Ssl().encrypt_final(seal_, body + packet.body, &length) == 1 &&
         Ssl().context_control(seal_, kEvpGetTag, kTagBytes, body + packet.body) == 1;
}

bool CipherKey::Open(const PacketView& packet, uint8_t* scratch) {
  if (open_ == nullptr && (open_ = NewContext(false)) == nullptr) return false;
  uint8_t nonce[kIvBytes];
  MakeNonce(packet.number, nonce);
  uint8_t* const body = packet.start + packet.header;
  int length = 0;
  uint8_t none[kTagBytes];
  // Plaintext reaches the caller's memory only once it is authenticated.
  const bool authentic =
      Ssl().decrypt_init(open_, nullptr, nullptr, nullptr, nonce) == 1 &&
      Ssl().context_control(open_, kEvpSetTag, kTagBytes, body + packet.body) == 1 &&
      AddAssociatedData(Ssl().decrypt_update, open_, prefix_, prefix_length_, packet.start, packet.aad) &&
      (packet.body == 0 ||
       Ssl().decrypt_update(open_, scratch, &length, body, static_cast<int>(packet.body)) == 1) &&
      Ssl().decrypt_final(open_, none, &length) == 1;
  if (authentic && packet.body > 0) memcpy(body, scratch, packet.body);
  return authentic;
}

bool CipherKey::HeaderMask(const uint8_t* sample, uint8_t mask[5]) {
  int length = 0;
  uint8_t out[kSampleBytes] = {};
  if (cipher_ == CipherId::kChaCha20Poly1305) {
    // RFC 9001 section 5.4.4: counter and nonce as OpenSSL takes them too, and five bytes of keystream.
    static constexpr uint8_t kZeros[5] = {};
    if (Ssl().encrypt_init(header_, nullptr, nullptr, nullptr, sample) != 1 ||
        Ssl().encrypt_update(header_, out, &length, kZeros, sizeof kZeros) != 1) {
      return false;
    }
  } else if (Ssl().encrypt_update(header_, out, &length, sample, kSampleBytes) != 1) {
    return false;
  }
  memcpy(mask, out, 5);
  return true;
}

void CipherKey::MakeNonce(uint64_t number, uint8_t nonce[kIvBytes]) const {
  if (has_iv_) {
    // RFC 9001 section 5.3: the packet number big-endian, XORed into the right end of the IV.
    memcpy(nonce, iv_, kIvBytes);
    for (int i = 0; i < 8; i += 1) nonce[kIvBytes - 1 - i] ^= static_cast<uint8_t>(number >> (8 * i));
    return;
  }
  // netcode 1.02, "Encrypted Packets": four zero bytes, then the sequence number little-endian.
  memset(nonce, 0, 4);
  for (int i = 0; i < 8; i += 1) nonce[4 + i] = static_cast<uint8_t>(number >> (8 * i));
}

EvpContext* CipherKey::NewContext(bool seal) const {
  EvpContext* const context = Ssl().context_new();
  if (context == nullptr) return nullptr;
  const auto init = seal ? Ssl().encrypt_init : Ssl().decrypt_init;
  if (init(context, AeadOf(cipher_), nullptr, nullptr, nullptr) == 1 &&
      Ssl().context_control(context, kEvpSetIvLength, kIvBytes, nullptr) == 1 &&
      init(context, nullptr, nullptr, key_, nullptr) == 1) {
    return context;
  }
  Ssl().context_free(context);
  return nullptr;
}

}  // namespace riposte
