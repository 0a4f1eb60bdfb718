// Opening a socket, and what it asks of the kernel.
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "socket_constants.h"
#include "udp_socket.h"

namespace riposte {

namespace {

bool Set(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/** More than the system's limit where the process may ask for it. */
void SetBuffer(int fd, int force, int option, int bytes) {
  if (!Set(fd, SOL_SOCKET, force, bytes)) Set(fd, SOL_SOCKET, option, bytes);
}

}  // namespace

int UdpSocket::Open(const BindOptions& options) {
  family_ = options.v4 ? AF_INET : AF_INET6;
  const int fd = socket(family_, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  fd_ = fd;
  wildcard_ = true;
  for (size_t i = options.v4 ? 12 : 0; i < sizeof options.address.ip.octets; i += 1) {
    if (options.address.ip.octets[i] != 0) wildcard_ = false;
  }
  SetOptions(options);
  sockaddr_storage name = {};
  socklen_t length = ToSockaddr(options.address, family_, &name);
  int error = bind(fd, reinterpret_cast<sockaddr*>(&name), length) == 0 ? 0 : -errno;
  length = sizeof name;
  if (error == 0 && getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length) != 0) error = -errno;
  if (error == 0) {
    FromSockaddr(name, &local_);
    return 0;
  }
  close(fd);
  fd_ = -1;
  return error;
}

void UdpSocket::SetOptions(const BindOptions& options) {
  const int fd = fd_;
  const bool v6 = family_ == AF_INET6;
  if (options.reuse_port) Set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (v6) Set(fd, SOL_IPV6, IPV6_V6ONLY, 0);
  SetBuffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, options.buffer_bytes);
  SetBuffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, options.buffer_bytes);
  Set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);

  // A dual-stack socket is asked by both families: the options of one say nothing about packets of the other.
  ecn_ = Set(fd, SOL_IP, IP_RECVTOS, 1) && (!v6 || Set(fd, SOL_IPV6, IPV6_RECVTCLASS, 1));
  if (wildcard_) packet_info_ = v6 ? Set(fd, SOL_IPV6, IPV6_RECVPKTINFO, 1) : Set(fd, SOL_IP, IP_PKTINFO, 1);
  // Never fragmented, and the kernel's own idea of the path's MTU, which anybody can forge, does not count. IPv6
  // fragments in spite of PROBE unless told not to.
  dont_fragment_ = Set(fd, SOL_IP, IP_MTU_DISCOVER, kPmtuProbe);
  if (v6) {
    dont_fragment_ = Set(fd, SOL_IPV6, IPV6_MTU_DISCOVER, kPmtuProbe) && Set(fd, SOL_IPV6, kIpv6DontFragment, 1) &&
                     dont_fragment_;
  }

  gso_ = Set(fd, SOL_UDP, kUdpSegment, 1200) && Set(fd, SOL_UDP, kUdpSegment, 0);
  gro_supported_ = Set(fd, SOL_UDP, kUdpGro, 1) && Set(fd, SOL_UDP, kUdpGro, 0);
}

bool UdpSocket::EnableGro() {
  if (fd_ < 0 || !gro_supported_) return false;
  if (!gro_) gro_ = Set(fd_, SOL_UDP, kUdpGro, 1);
  return gro_;
}

int UdpSocket::buffer_bytes(bool receive) const {
  int bytes = 0;
  socklen_t length = sizeof bytes;
  if (fd_ < 0 || getsockopt(fd_, SOL_SOCKET, receive ? SO_RCVBUF : SO_SNDBUF, &bytes, &length) != 0) return 0;
  // The kernel doubles what it was asked for, for its records of each packet.
  return bytes / 2;
}

}  // namespace riposte
