// Receiving: `recvmmsg` into the caller's slots, and one descriptor for each datagram that GRO joined.
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "socket_constants.h"
#include "udp_socket.h"

namespace riposte {

namespace {

/** A call ends when it has as many datagrams, so that a wake-up is bounded even where GRO joins all it can. */
constexpr uint32_t kEnough = 256;

/** Type of service, traffic class, packet info of either family, GRO size, drop count. */
constexpr size_t kControlBytes = 2 * CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(in_pktinfo)) +
                                 CMSG_SPACE(sizeof(in6_pktinfo)) + 2 * CMSG_SPACE(sizeof(int));

struct Incoming {
  mmsghdr messages[kMaxMessages];
  iovec vectors[kMaxMessages];
  sockaddr_storage names[kMaxMessages];
  alignas(cmsghdr) uint8_t control[kMaxMessages][kControlBytes];
};

/** What the kernel says beside a message. */
struct Report {
  uint8_t ecn = 0;
  uint32_t segment = 0;
  bool has_drops = false;
  uint32_t drops = 0;
  bool has_local = false;
  LocalAddress local = {};

  explicit Report(msghdr* message) {
    for (cmsghdr* at = CMSG_FIRSTHDR(message); at != nullptr; at = CMSG_NXTHDR(message, at)) Read(at);
  }

 private:
  void Read(const cmsghdr* at) {
    const uint8_t* data = CMSG_DATA(at);
    if (at->cmsg_level == SOL_IP && at->cmsg_type == IP_TOS) {
      ecn = data[0] & 3;
    } else if (at->cmsg_level == SOL_IPV6 && at->cmsg_type == IPV6_TCLASS) {
      int value;
      memcpy(&value, data, sizeof value);
      ecn = static_cast<uint8_t>(value & 3);
    } else if (at->cmsg_level == SOL_IP && at->cmsg_type == IP_PKTINFO) {
      in_pktinfo info;
      memcpy(&info, data, sizeof info);
      local.ip = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};
      memcpy(local.ip.octets + 12, &info.ipi_spec_dst, 4);
      local.interface = static_cast<uint32_t>(info.ipi_ifindex);
      has_local = true;
    } else if (at->cmsg_level == SOL_IPV6 && at->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info;
      memcpy(&info, data, sizeof info);
      memcpy(local.ip.octets, &info.ipi6_addr, 16);
      local.interface = info.ipi6_ifindex;
      has_local = true;
    } else if (at->cmsg_level == SOL_UDP && at->cmsg_type == kUdpGro) {
      int value;
      memcpy(&value, data, sizeof value);
      segment = value > 0 ? static_cast<uint32_t>(value) : 0;
    } else if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == SO_RXQ_OVFL) {
      memcpy(&drops, data, sizeof drops);
      has_drops = true;
    }
  }
};

/** Fills the next descriptor; false when there is none. */
bool Describe(Batch* batch, size_t offset, size_t length, int32_t path, uint8_t ecn) {
  if (batch->count == batch->capacity) return false;
  const uint32_t i = batch->count++;
  Store(batch->packet_number + i, 0.0);
  Store(batch->offset + i, static_cast<int32_t>(offset));
  Store(batch->length + i, static_cast<int32_t>(length));
  Store(batch->path + i, path);
  Store(batch->key + i, kNoKey);
  Store(batch->header_length + i, 0);
  Store(batch->aad_length + i, 0);
  Store(batch->ecn + i, ecn);
  Store(batch->opened + i, 0);
  Store(batch->refused + i, 0);
  return true;
}

}  // namespace

uint32_t UdpSocket::Receive(Batch* batch, size_t slot_bytes) {
  Incoming in;
  const uint32_t segments = gro_ ? kMaxGroSegments : 1;
  const size_t slots = batch->bytes / slot_bytes;
  size_t slot = 0;
  while (slot < slots && batch->count < batch->capacity && batch->count < kEnough) {
    // As many messages as there are descriptors for, should each of them be joined of many; one in any case.
    const size_t room = std::max<size_t>(1, (batch->capacity - batch->count) / segments);
    const auto wanted = static_cast<unsigned>(std::min({room, slots - slot, size_t{kMaxMessages}}));
    for (unsigned i = 0; i < wanted; i += 1) {
      in.vectors[i] = {batch->buffer + (slot + i) * slot_bytes, slot_bytes};
      in.messages[i] = {};
      in.names[i].ss_family = AF_UNSPEC;
      msghdr& header = in.messages[i].msg_hdr;
      header.msg_name = &in.names[i];
      header.msg_namelen = sizeof in.names[i];
      header.msg_iov = &in.vectors[i];
      header.msg_iovlen = 1;
      header.msg_control = in.control[i];
      header.msg_controllen = kControlBytes;
    }
    const int got = recvmmsg(fd_, in.messages, wanted, MSG_DONTWAIT, nullptr);
    // Nothing waits, or an error of an earlier send does: polling tells of what comes after it.
    if (got <= 0) break;
    for (int i = 0; i < got; i += 1, slot += 1) {
      msghdr& header = in.messages[i].msg_hdr;
      const size_t length = in.messages[i].msg_len;
      const Report report(&header);
      if (report.has_drops) {
        Add(Counter::kReceiveOverflowed, report.drops - kernel_drops_);
        kernel_drops_ = report.drops;
      }
      const size_t segment = report.segment == 0 ? std::max<size_t>(length, 1) : report.segment;
      const uint64_t datagrams = length == 0 ? 1 : (length + segment - 1) / segment;
      Address from;
      const bool whole = length > 0 && (header.msg_flags & MSG_TRUNC) == 0;
      if (!whole || !FromSockaddr(in.names[i], &from) || from.port == 0) {
        Add(Counter::kReceiveMalformed, datagrams);
        continue;
      }
      const int32_t path = table_->InternArrived(from, report.has_local ? &report.local : nullptr);
      if (path == AddressTable::kNone) {
        Add(Counter::kReceiveOverflowed, datagrams);
        continue;
      }
      const size_t start = slot * slot_bytes;
      for (size_t at = 0; at < length; at += segment) {
        const size_t bytes = std::min(segment, length - at);
        if (!Describe(batch, start + at, bytes, path, report.ecn)) {
          Add(Counter::kReceiveOverflowed);
          continue;
        }
        Add(Counter::kPacketsReceived);
        Add(Counter::kBytesReceived, bytes);
      }
    }
    if (static_cast<unsigned>(got) < wanted) break;
  }
  return batch->count;
}

}  // namespace riposte
