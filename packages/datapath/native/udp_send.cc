// Sending: `sendmmsg` straight from the caller's slots. Consecutive packets of one size to one peer go as one
// message that the kernel, or the network card, takes apart again (GSO).
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>

#include "socket_constants.h"
#include "udp_socket.h"

namespace riposte {

namespace {

/** Type of service, packet info of the larger family, segment size. */
constexpr size_t kControlBytes =
    CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t));
constexpr uint32_t kMaxVectors = 256;

bool IsFullQueue(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

/** The kernel has no memory for a packet now: as lost as in a full queue, but no event tells of room. */
bool IsOverflow(int error) { return error == ENOBUFS || error == ENOMEM; }

/** The address a reply should leave from may not be ours any more. */
bool MayBeGoneAddress(int error) {
  return error == EINVAL || error == EADDRNOTAVAIL || error == ENETUNREACH || error == EHOSTUNREACH;
}

/** The message as a whole may be what is refused, by a kernel or card that does not segment, or one packet of it. */
bool MayBeSegmentation(int error) {
  return error == EIO || error == EINVAL || error == EOPNOTSUPP || error == EMSGSIZE;
}

/** Appends a control message. */
template <typename Value>
void AddControl(msghdr* message, int level, int type, const Value& value) {
  auto* at = reinterpret_cast<cmsghdr*>(static_cast<uint8_t*>(message->msg_control) + message->msg_controllen);
  at->cmsg_level = level;
  at->cmsg_type = type;
  at->cmsg_len = CMSG_LEN(sizeof value);
  memcpy(CMSG_DATA(at), &value, sizeof value);
  message->msg_controllen += CMSG_SPACE(sizeof value);
}

/** One message to be: `count` packets of one size to one peer. */
struct Run {
  uint32_t count;
  /** Of its first packet. */
  uint32_t vector;
  int32_t path;
  size_t segment;
  size_t bytes;
  uint8_t ecn;
  /** A shorter packet ended it. */
  bool complete;
};

}  // namespace

/** Messages gathered for one system call. Lives on the stack of one `Send`. */
class SendQueue {
 public:
  SendQueue(UdpSocket* socket, const Batch& batch) : socket_(socket), batch_(batch) {}

  /** Takes the packet into the last message or a new one; false when there is no room for it. */
  bool Append(uint32_t index, int32_t path, size_t offset, size_t length, uint8_t ecn) {
    if (vectors_ == kMaxVectors) return false;
    if (!Extends(path, length, ecn)) {
      if (runs_ == kMaxMessages) return false;
      run_[runs_++] = {0, vectors_, path, length, 0, ecn, false};
    }
    Run& run = run_[runs_ - 1];
    run.count += 1;
    run.bytes += length;
    run.complete = length < run.segment;
    index_[vectors_] = index;
    vector_[vectors_++] = {batch_.buffer + offset, length};
    return true;
  }

  /** Sends what was gathered. False when the kernel's queue is full: `stopped_at` is the first packet left behind. */
  bool Flush() {
    for (uint32_t i = 0; i < runs_; i += 1) Prepare(i, run_[i].count > 1);
    uint32_t at = 0;
    while (at < runs_) {
      const int sent = sendmmsg(socket_->fd_, message_ + at, runs_ - at, MSG_DONTWAIT);
      if (sent > 0) {
        for (int i = 0; i < sent; i += 1) CountSent(run_[at++]);
        continue;
      }
      const int error = errno;
      if (sent < 0 && error == EINTR) continue;
      if (!Recover(at, sent == 0 ? EAGAIN : error)) return false;
      at += 1;
    }
    runs_ = 0;
    vectors_ = 0;
    return true;
  }

  uint32_t stopped_at() const { return stopped_at_; }

 private:
  bool Extends(int32_t path, size_t length, uint8_t ecn) const {
    if (runs_ == 0 || !socket_->gso_ || length == 0) return false;
    const Run& run = run_[runs_ - 1];
    return !run.complete && run.path == path && run.ecn == ecn && length <= run.segment &&
           run.count < kMaxGsoSegments && run.bytes + length <= kMaxMessageBytes;
  }

  /** Fills in the message of a run; or of one packet of it, when `segmented` is false. */
  void Prepare(uint32_t at, bool segmented) {
    const Run& run = run_[at];
    const Address& address = socket_->table_->AddressOf(run.path);
    msghdr& header = message_[at].msg_hdr;
    header = {};
    header.msg_name = &name_[at];
    header.msg_namelen = ToSockaddr(address, socket_->family_, &name_[at]);
    header.msg_iov = vector_ + run.vector;
    header.msg_iovlen = segmented ? run.count : 1;
    header.msg_control = control_[at];
    if (run.ecn != 0) {
      const int bits = run.ecn;
      if (address.ip.IsV4()) AddControl(&header, SOL_IP, IP_TOS, bits);
      else AddControl(&header, SOL_IPV6, IPV6_TCLASS, bits);
    }
    if (socket_->packet_info_) AddSource(&header, run.path);
    if (segmented) AddControl(&header, SOL_UDP, kUdpSegment, static_cast<uint16_t>(run.segment));
    if (header.msg_controllen == 0) header.msg_control = nullptr;
  }

  void AddSource(msghdr* header, int32_t path) {
    const LocalAddress* local = socket_->table_->LocalOf(path);
    if (local == nullptr) return;
    if (socket_->family_ == AF_INET) {
      if (!local->ip.IsV4()) return;
      in_pktinfo info = {};
      memcpy(&info.ipi_spec_dst, local->ip.octets + 12, 4);
      AddControl(header, SOL_IP, IP_PKTINFO, info);
      return;
    }
    in6_pktinfo info = {};
    memcpy(&info.ipi6_addr, local->ip.octets, 16);
    // The interface is for link-local addresses, which the destination's scope names; else the route decides.
    AddControl(header, SOL_IPV6, IPV6_PKTINFO, info);
  }

  /** Deals with a message that the kernel refused as a whole. False when its queue is full. */
  bool Recover(uint32_t at, int error) {
    const Run& run = run_[at];
    if (MayBeGoneAddress(error) && socket_->packet_info_ && socket_->table_->LocalOf(run.path) != nullptr) {
      socket_->table_->ForgetLocal(run.path);
      Prepare(at, run.count > 1);
      error = Send(at);
      if (error == 0) {
        CountSent(run);
        return true;
      }
    }
    if (IsFullQueue(error)) return StopAt(run.vector);
    if (run.count > 1 && MayBeSegmentation(error)) return SendOneByOne(at);
    for (uint32_t i = 0; i < run.count; i += 1) CountLost(index_[run.vector + i], error);
    return true;
  }

  /** Tells a packet that is too long from a kernel that does not segment. False when its queue is full. */
  bool SendOneByOne(uint32_t at) {
    const Run whole = run_[at];
    bool all = true;
    for (uint32_t i = 0; i < whole.count; i += 1) {
      const uint32_t vector = whole.vector + i;
      run_[at].vector = vector;
      Prepare(at, false);
      const int error = Send(at);
      if (IsFullQueue(error)) return StopAt(vector);
      if (error == 0) {
        CountSent({1, vector, whole.path, 0, vector_[vector].iov_len, whole.ecn, true});
      } else {
        CountLost(index_[vector], error);
        all = false;
      }
    }
    if (all) socket_->gso_ = false;
    return true;
  }

  /** The packet of this vector and all behind it wait for room. */
  bool StopAt(uint32_t vector) {
    stopped_at_ = index_[vector];
    return false;
  }

  /** 0, or the error. */
  int Send(uint32_t at) {
    for (;;) {
      if (sendmsg(socket_->fd_, &message_[at].msg_hdr, MSG_DONTWAIT) >= 0) return 0;
      if (errno != EINTR) return errno;
    }
  }

  void CountSent(const Run& run) {
    socket_->Add(Counter::kPacketsSent, run.count);
    socket_->Add(Counter::kBytesSent, run.bytes);
    socket_->last_sent_ += run.count;
  }

  void CountLost(uint32_t index, int error) {
    if (error == EMSGSIZE) Store(batch_.refused + index, 1);
    socket_->Add(IsOverflow(error) ? Counter::kSendOverflowed : Counter::kSendFailed);
  }

  UdpSocket* const socket_;
  const Batch& batch_;
  uint32_t runs_ = 0;
  uint32_t vectors_ = 0;
  uint32_t stopped_at_ = 0;
  Run run_[kMaxMessages];
  mmsghdr message_[kMaxMessages];
  sockaddr_storage name_[kMaxMessages];
  alignas(cmsghdr) uint8_t control_[kMaxMessages][kControlBytes];
  iovec vector_[kMaxVectors];
  uint32_t index_[kMaxVectors];
};

uint32_t UdpSocket::Send(const Batch& batch, uint32_t from) {
  last_sent_ = 0;
  SendQueue queue(this, batch);
  uint32_t next = from;
  bool full = false;
  while (next < batch.count && !full) {
    const uint32_t i = next;
    const int32_t path = Load(batch.path + i);
    const int64_t offset = Load(batch.offset + i);
    const int64_t length = Load(batch.length + i);
    Store(batch.refused + i, 0);
    const bool known = table_->Has(path);
    if (!known || !batch.Holds(offset, length) || (family_ == AF_INET && !table_->AddressOf(path).ip.IsV4())) {
      // Path -1 asks to be skipped.
      if (path != -1) Add(Counter::kSendFailed);
      next += 1;
      continue;
    }
    const auto ecn = static_cast<uint8_t>(Load(batch.ecn + i) & 3);
    if (queue.Append(i, path, static_cast<size_t>(offset), static_cast<size_t>(length), ecn)) next += 1;
    else full = !queue.Flush();
  }
  if (!full) full = !queue.Flush();
  if (!full) return batch.count;
  blocked_ = true;
  StartPolling(kUvReadable | kUvWritable);
  return queue.stopped_at();
}

}  // namespace riposte
