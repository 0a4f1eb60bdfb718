// Linux's numbers that the headers of older C libraries lack.
#pragma once

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>

#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef SO_RXQ_OVFL
#define SO_RXQ_OVFL 40
#endif

namespace riposte {

constexpr int kUdpSegment = 103;
constexpr int kUdpGro = 104;
constexpr int kPmtuProbe = 3;
constexpr int kIpv6DontFragment = 62;

/** Datagrams that one GRO message joins, at most (UDP_MAX_SEGMENTS of newer kernels). */
constexpr uint32_t kMaxGroSegments = 128;
/** Packets in one GSO message, at most (UDP_MAX_SEGMENTS of older kernels). */
constexpr uint32_t kMaxGsoSegments = 64;
/** Bytes in one message, at most: what IPv4 leaves of 65,535. */
constexpr size_t kMaxMessageBytes = 65'507;
/** Messages in one system call, at most. */
constexpr uint32_t kMaxMessages = 64;

}  // namespace riposte
