// One UDP socket on Node's own event loop, and what it counts.
//
// Life: made, bound once, closed once. While it is bound a reference keeps its JavaScript object alive;
// libuv may report events until its handle has closed, so the socket outlives both.
#pragma once

#include <node_api.h>

#include "address_table.h"
#include "batch.h"
#include "js.h"
#include "runtime.h"

namespace riposte {

/** In the order of native-udp-socket.ts. */
enum class Counter {
  kPacketsReceived,
  kBytesReceived,
  kPacketsSent,
  kBytesSent,
  kReceiveOverflowed,
  kReceiveMalformed,
  kSendOverflowed,
  kSendFailed,
  kCount
};

struct BindOptions {
  Address address;
  bool v4;
  bool reuse_port;
  int buffer_bytes;
};

class UdpSocket : public Wrapped {
 public:
  explicit UdpSocket(napi_env env) : Wrapped{Kind::kUdpSocket}, env_(env) {}
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;

  /** Opens, binds and polls; 0 or a negative errno. Calls `callback` with uv_poll's events from then on. */
  int Bind(const BindOptions& options, napi_value self, napi_value table_object, AddressTable* table,
           napi_value callback);
  /** Closes the descriptor at once; harmless when it is closed. */
  void Close();
  /** JavaScript has let go of the object: deletes the socket, now or when libuv is done with it. */
  void Finalize();

  bool is_open() const { return fd_ >= 0; }
  bool was_bound() const { return bound_; }
  int fd() const { return fd_; }
  int family() const { return family_; }
  AddressTable* table() const { return table_; }
  const Address& local() const { return local_; }

  double count(Counter counter) const { return static_cast<double>(counters_[static_cast<int>(counter)]); }
  void Add(Counter counter, uint64_t more = 1) { counters_[static_cast<int>(counter)] += more; }

  /** Receives at most one batch's worth; the number of descriptors filled. */
  uint32_t Receive(Batch* batch, size_t slot_bytes);
  /** Sends packets from `from` on. The first that was not dealt with, because the kernel's queue is full. */
  uint32_t Send(const Batch& batch, uint32_t from);
  /** Packets that the kernel took in the last `Send`. */
  uint32_t last_sent() const { return last_sent_; }

  /** Has the kernel join datagrams of one peer; false where it cannot. */
  bool EnableGro();

  bool gso() const { return gso_; }
  bool gro() const { return gro_supported_; }
  bool dont_fragment() const { return dont_fragment_; }
  bool ecn() const { return ecn_; }
  bool local_address() const { return packet_info_; }
  /** What the kernel gave, without what it adds for its own records. */
  int buffer_bytes(bool receive) const;

 private:
  friend class SendQueue;

  int Open(const BindOptions& options);
  void SetOptions(const BindOptions& options);
  int StartPolling(int events);
  void CallBack(int events);
  void ReleaseReferences();

  static void OnPoll(UvHandle* handle, int status, int events);
  static void OnClosed(UvHandle* handle);
  static void OnEnvironmentEnd(napi_async_cleanup_hook_handle hook, void* data);

  napi_env env_;
  AddressTable* table_ = nullptr;
  napi_ref self_ref_ = nullptr;
  napi_ref table_ref_ = nullptr;
  napi_ref callback_ref_ = nullptr;
  napi_async_context async_ = nullptr;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  UvHandle* poll_ = nullptr;

  int fd_ = -1;
  int family_ = 0;
  Address local_ = {};
  bool bound_ = false;
  bool finalized_ = false;
  /** Bound to every address of this machine, so that replies must be told which one to leave from. */
  bool wildcard_ = false;
  bool gso_ = false;
  bool gro_supported_ = false;
  bool gro_ = false;
  bool dont_fragment_ = false;
  bool ecn_ = false;
  bool packet_info_ = false;
  /** The kernel's queue was full; polled until it has room. */
  bool blocked_ = false;
  uint32_t last_sent_ = 0;
  /** The kernel's count of datagrams it dropped, as last reported. */
  uint32_t kernel_drops_ = 0;
  uint64_t counters_[static_cast<int>(Counter::kCount)] = {};
};

}  // namespace riposte
