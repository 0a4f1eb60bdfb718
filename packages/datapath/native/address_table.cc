#include "address_table.h"

#include <sys/random.h>

#include <cstdlib>
#include <cstring>
#include <new>

namespace riposte {

namespace {

inline uint64_t Rotate(uint64_t value, int bits) { return (value << bits) | (value >> (64 - bits)); }

struct SipState {
  uint64_t v0, v1, v2, v3;

  void Round() {
    v0 += v1;
    v1 = Rotate(v1, 13) ^ v0;
    v0 = Rotate(v0, 32);
    v2 += v3;
    v3 = Rotate(v3, 16) ^ v2;
    v0 += v3;
    v3 = Rotate(v3, 21) ^ v0;
    v2 += v1;
    v1 = Rotate(v1, 17) ^ v2;
    v2 = Rotate(v2, 32);
  }

  void Add(uint64_t word) {
    v3 ^= word;
    Round();
    v0 ^= word;
  }
};

/** SipHash-1-3 (Aumasson and Bernstein) of an address: three whole words, so the last holds the length alone. */
uint64_t SipHash(const uint64_t key[2], const Address& address) {
  uint64_t words[3];
  static_assert(sizeof words == sizeof address);
  memcpy(words, &address, sizeof words);
  SipState state = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
                    key[1] ^ 0x7465646279746573};
  for (uint64_t word : words) state.Add(word);
  state.Add(static_cast<uint64_t>(sizeof address) << 56);
  state.v2 ^= 0xff;
  for (int i = 0; i < 3; i += 1) state.Round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace

AddressTable* AddressTable::Create(uint32_t capacity) {
  auto* table = new (std::nothrow) AddressTable();
  if (table == nullptr) return nullptr;
  uint32_t buckets = 16;
  while (buckets < capacity) buckets *= 2;
  table->capacity_ = capacity;
  table->bucket_mask_ = buckets - 1;
  // Zeroed and large: pages cost memory only once they are used. A bucket holds a path + 1.
  table->entries_ = static_cast<Entry*>(calloc(capacity, sizeof(Entry)));
  table->buckets_ = static_cast<int32_t*>(calloc(buckets, sizeof(int32_t)));
  const bool seeded = getrandom(table->hash_key_, sizeof table->hash_key_, 0) == sizeof table->hash_key_;
  if (table->entries_ != nullptr && table->buckets_ != nullptr && seeded) return table;
  delete table;
  return nullptr;
}

AddressTable::~AddressTable() {
  free(entries_);
  free(buckets_);
}

size_t AddressTable::bytes() const { return sizeof(Entry) * capacity_ + sizeof(int32_t) * (bucket_mask_ + 1); }

int32_t AddressTable::InternArrived(const Address& address, const LocalAddress* local) {
  const int32_t path = Intern(address, true);
  if (path == kNone || local == nullptr) return path;
  Entry& entry = entries_[path];
  // What the program named itself is reached by whichever route there is: a client that roams has no address to keep.
  if (!entry.arrived) return path;
  entry.local = *local;
  entry.pinned = true;
  return path;
}

int32_t AddressTable::Intern(const Address& address, bool arrived) {
  if (last_ != kNone && entries_[last_].address == address) {
    if (entries_[last_].retained == 0 && last_ != newest_) {
      Unlink(last_);
      Link(last_);
    }
    return last_;
  }
  const uint32_t bucket = BucketOf(address);
  for (int32_t path = buckets_[bucket] - 1; path != kNone; path = entries_[path].chain) {
    if (!(entries_[path].address == address)) continue;
    if (entries_[path].retained == 0 && path != newest_) {
      Unlink(path);
      Link(path);
    }
    last_ = path;
    return path;
  }
  int32_t path = static_cast<int32_t>(size_);
  if (size_ == capacity_) {
    path = oldest_;
    if (path == kNone) return kNone;
    Unlink(path);
    Unchain(path);
    recycled_ += 1;
  } else {
    size_ += 1;
  }
  Entry& entry = entries_[path];
  entry = {};
  entry.address = address;
  entry.arrived = arrived;
  entry.chain = buckets_[bucket] - 1;
  buckets_[bucket] = path + 1;
  Link(path);
  last_ = path;
  return path;
}

bool AddressTable::Retain(int32_t path) {
  Entry& entry = entries_[path];
  if (entry.retained == INT32_MAX) return false;
  if (entry.retained == 0) Unlink(path);
  entry.retained += 1;
  return true;
}

bool AddressTable::Release(int32_t path) {
  Entry& entry = entries_[path];
  if (entry.retained == 0) return false;
  entry.retained -= 1;
  if (entry.retained == 0) Link(path);
  return true;
}

uint32_t AddressTable::BucketOf(const Address& address) const {
  return static_cast<uint32_t>(SipHash(hash_key_, address)) & bucket_mask_;
}

void AddressTable::Unchain(int32_t path) {
  const uint32_t bucket = BucketOf(entries_[path].address);
  if (buckets_[bucket] - 1 == path) {
    buckets_[bucket] = entries_[path].chain + 1;
    return;
  }
  for (int32_t at = buckets_[bucket] - 1; at != kNone; at = entries_[at].chain) {
    if (entries_[at].chain != path) continue;
    entries_[at].chain = entries_[path].chain;
    return;
  }
}

void AddressTable::Link(int32_t path) {
  entries_[path].next = kNone;
  entries_[path].previous = newest_;
  if (newest_ == kNone) oldest_ = path;
  else entries_[newest_].next = path;
  newest_ = path;
}

void AddressTable::Unlink(int32_t path) {
  const int32_t next = entries_[path].next;
  const int32_t previous = entries_[path].previous;
  if (next == kNone) newest_ = previous;
  else entries_[next].previous = previous;
  if (previous == kNone) oldest_ = next;
  else entries_[previous].next = next;
}

}  // namespace riposte
