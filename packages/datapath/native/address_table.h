// Names remote addresses by small integers, paths: the native `AddressTable`.
//
// A hash table with chains over arrays that are allocated once. The hash is SipHash under a key of this
// table's own, so that whoever chooses addresses cannot choose collisions.
#pragma once

#include "address.h"
#include "js.h"

namespace riposte {

/** The address of ours that a peer's packets came to. */
struct LocalAddress {
  Ip ip;
  uint32_t interface;
};

class AddressTable : public Wrapped {
 public:
  static constexpr int32_t kNone = -1;
  static constexpr uint32_t kMaxCapacity = 1 << 22;

  /** Null when there is no memory for it. */
  static AddressTable* Create(uint32_t capacity);
  ~AddressTable();
  AddressTable(const AddressTable&) = delete;
  AddressTable& operator=(const AddressTable&) = delete;

  uint32_t capacity() const { return capacity_; }
  uint32_t size() const { return size_; }
  double recycled() const { return static_cast<double>(recycled_); }
  /** Bytes allocated. */
  size_t bytes() const;

  /** The path of an address; `kNone` when every path is retained by others. */
  int32_t Intern(const Address& address) { return Intern(address, false); }
  /** The same for an address a packet came from: its path remembers which of our addresses it came to. */
  int32_t InternArrived(const Address& address, const LocalAddress* local);

  bool Has(int64_t path) const { return path >= 0 && path < size_; }
  /** For a path that the table has. */
  const Address& AddressOf(int32_t path) const { return entries_[path].address; }
  /** Where replies must leave from; null when the route decides. */
  const LocalAddress* LocalOf(int32_t path) const { return entries_[path].pinned ? &entries_[path].local : nullptr; }
  /** That address is gone: the route decides until the next packet comes. */
  void ForgetLocal(int32_t path) { entries_[path].pinned = false; }

  /** False when it is retained 2^31 times already. */
  bool Retain(int32_t path);
  /** False when it is not retained. */
  bool Release(int32_t path);

 private:
  struct Entry {
    Address address;
    LocalAddress local;
    /** First named by a packet that came from it, rather than by the program. */
    bool arrived;
    bool pinned;
    int32_t retained;
    /** The unretained paths as a list, oldest use first. */
    int32_t next;
    int32_t previous;
    /** The paths whose addresses share a hash. */
    int32_t chain;
  };

  AddressTable() : Wrapped{Kind::kAddressTable} {}

  int32_t Intern(const Address& address, bool arrived);
  uint32_t BucketOf(const Address& address) const;
  void Unchain(int32_t path);
  void Link(int32_t path);
  void Unlink(int32_t path);

  uint32_t capacity_ = 0;
  uint32_t size_ = 0;
  uint64_t recycled_ = 0;
  uint32_t bucket_mask_ = 0;
  Entry* entries_ = nullptr;
  int32_t* buckets_ = nullptr;
  int32_t oldest_ = kNone;
  int32_t newest_ = kNone;
  /** Packets come in runs from one peer. */
  int32_t last_ = kNone;
  uint64_t hash_key_[2] = {};
};

}  // namespace riposte
