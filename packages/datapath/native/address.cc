#include "address.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace riposte {

namespace {

constexpr uint8_t kMappedPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool IsLinkLocal(const Ip& ip) { return ip.octets[0] == 0xfe && (ip.octets[1] & 0xc0) == 0x80; }

}  // namespace

bool Ip::IsV4() const { return memcmp(octets, kMappedPrefix, sizeof kMappedPrefix) == 0; }

bool Ip::operator==(const Ip& other) const { return memcmp(octets, other.octets, sizeof octets) == 0; }

bool Address::operator==(const Address& other) const { return memcmp(this, &other, sizeof other) == 0; }

bool ParseHost(const char* text, Address* out) {
  *out = {};
  if (inet_pton(AF_INET, text, out->ip.octets + 12) == 1) {
    memcpy(out->ip.octets, kMappedPrefix, sizeof kMappedPrefix);
    return true;
  }
  char plain[kMaxHostText];
  const char* percent = strchr(text, '%');
  const size_t length = percent == nullptr ? strlen(text) : static_cast<size_t>(percent - text);
  if (length >= sizeof plain) return false;
  memcpy(plain, text, length);
  plain[length] = '\0';
  if (inet_pton(AF_INET6, plain, out->ip.octets) != 1) return false;
  if (percent == nullptr || !IsLinkLocal(out->ip)) return true;
  out->scope = if_nametoindex(percent + 1);
  if (out->scope == 0) out->scope = static_cast<uint32_t>(strtoul(percent + 1, nullptr, 10));
  return out->scope != 0;
}

void FormatHost(const Address& address, char out[kMaxHostText]) {
  if (address.ip.IsV4()) {
    inet_ntop(AF_INET, address.ip.octets + 12, out, kMaxHostText);
    return;
  }
  inet_ntop(AF_INET6, address.ip.octets, out, kMaxHostText);
  if (address.scope == 0) return;
  char name[IF_NAMESIZE];
  char* const end = out + strlen(out);
  const size_t room = kMaxHostText - strlen(out);
  if (if_indextoname(address.scope, name) != nullptr) snprintf(end, room, "%%%s", name);
  else snprintf(end, room, "%%%u", address.scope);
}

bool FromSockaddr(const sockaddr_storage& from, Address* out) {
  if (from.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(from);
    memcpy(out->ip.octets, kMappedPrefix, sizeof kMappedPrefix);
    memcpy(out->ip.octets + 12, &v4.sin_addr, 4);
    out->scope = 0;
    out->port = ntohs(v4.sin_port);
    return true;
  }
  if (from.ss_family != AF_INET6) return false;
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(from);
  memcpy(out->ip.octets, &v6.sin6_addr, 16);
  out->scope = v6.sin6_scope_id;
  out->port = ntohs(v6.sin6_port);
  return true;
}

socklen_t ToSockaddr(const Address& address, int family, sockaddr_storage* out) {
  if (family == AF_INET) {
    if (!address.ip.IsV4()) return 0;
    auto& v4 = reinterpret_cast<sockaddr_in&>(*out);
    v4 = {};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(static_cast<uint16_t>(address.port));
    memcpy(&v4.sin_addr, address.ip.octets + 12, 4);
    return sizeof v4;
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(*out);
  v6 = {};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(static_cast<uint16_t>(address.port));
  memcpy(&v6.sin6_addr, address.ip.octets, 16);
  v6.sin6_scope_id = address.scope;
  return sizeof v6;
}

}  // namespace riposte
