// Remote addresses as the kernel, the table and JavaScript know them.
#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>

namespace riposte {

/** An IPv6 address; IPv4 as ::ffff:a.b.c.d, as a dual-stack socket names it. */
struct Ip {
  uint8_t octets[16];

  bool IsV4() const;
  bool operator==(const Ip& other) const;
};

/** Address and port; what makes two packets' peers the same. Without padding: it is hashed and compared as bytes. */
struct Address {
  Ip ip;
  /** Interface of a link-local address; 0 otherwise. */
  uint32_t scope;
  uint32_t port;

  bool operator==(const Address& other) const;
};
static_assert(sizeof(Address) == 24);

/** Longest text of an address: "ffff:...:255.255.255.255%interface". */
constexpr size_t kMaxHostText = INET6_ADDRSTRLEN + 20;

/** Reads "10.0.0.1", "::1" or "fe80::1%eth0"; false for anything else. */
bool ParseHost(const char* text, Address* out);

/** Writes the plain form: "10.0.0.1" for ::ffff:10.0.0.1. */
void FormatHost(const Address& address, char out[kMaxHostText]);

/** From the kernel's form; false for a family that is neither. */
bool FromSockaddr(const sockaddr_storage& from, Address* out);

/** To the kernel's form for a socket of `family`; 0 when that family cannot reach it, else the length. */
socklen_t ToSockaddr(const Address& address, int family, sockaddr_storage* out);

}  // namespace riposte
