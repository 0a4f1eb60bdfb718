// `UdpSocket` as native-udp-socket.ts uses it.
#include <new>

#include "classes.h"
#include "udp_socket.h"

namespace riposte {

namespace {

constexpr int64_t kMaxBufferBytes = 1 << 30;

UdpSocket* Self(napi_env env, napi_value self) {
  return static_cast<UdpSocket*>(Unwrap(env, self, Kind::kUdpSocket));
}

void Finalize(napi_env, void* data, void*) { static_cast<UdpSocket*>(data)->Finalize(); }

napi_value Construct(napi_env env, napi_callback_info info) {
  if (!IsConstruction(env, info)) return nullptr;
  Arguments<1> arguments(env, info);
  auto* socket = new (std::nothrow) UdpSocket(env);
  if (socket == nullptr) return ThrowRange(env, "no memory");
  if (napi_wrap(env, arguments.self, socket, Finalize, nullptr, nullptr) == napi_ok) return arguments.self;
  socket->Finalize();
  return ThrowType(env, "illegal receiver");
}

/** bind(addresses, callback, host, port, reusePort, bufferBytes): 0 or a negative errno. */
napi_value Bind(napi_env env, napi_callback_info info) {
  Arguments<6> arguments(env, info);
  UdpSocket* socket = Self(env, arguments.self);
  if (socket == nullptr) return nullptr;
  if (socket->was_bound()) return ThrowType(env, "the socket was bound before");
  AddressTable* table = ReadAddressTable(env, arguments[0]);
  if (table == nullptr) return nullptr;
  napi_valuetype type = napi_undefined;
  napi_typeof(env, arguments[1], &type);
  if (type != napi_function) return ThrowType(env, "callback must be a function");
  char host[kMaxHostText];
  int64_t port = 0;
  int64_t buffer_bytes = 0;
  bool reuse_port = false;
  if (!ReadText(env, arguments[2], "host", host, sizeof host) ||
      !ReadInteger(env, arguments[3], "port", 0, 65'535, &port) ||
      !ReadInteger(env, arguments[5], "bufferBytes", 1, kMaxBufferBytes, &buffer_bytes)) {
    return nullptr;
  }
  napi_get_value_bool(env, arguments[4], &reuse_port);
  BindOptions options = {};
  if (!ParseHost(host, &options.address)) return ThrowRange(env, "host must be an IP address, not %s", host);
  options.address.port = static_cast<uint32_t>(port);
  options.v4 = options.address.ip.IsV4();
  options.reuse_port = reuse_port;
  options.buffer_bytes = static_cast<int>(buffer_bytes);
  return Integer(env, socket->Bind(options, arguments.self, arguments[0], table, arguments[1]));
}

napi_value Close(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  UdpSocket* socket = Self(env, arguments.self);
  if (socket != nullptr) socket->Close();
  return nullptr;
}

/** receive(buffer, descriptors, slotBytes): the number of descriptors filled. */
napi_value Receive(napi_env env, napi_callback_info info) {
  Arguments<3> arguments(env, info);
  UdpSocket* socket = Self(env, arguments.self);
  Batch batch;
  int64_t slot_bytes = 0;
  if (socket == nullptr || !ReadBatch(env, arguments[0], arguments[1], &batch) ||
      !ReadInteger(env, arguments[2], "slotBytes", 1, INT32_MAX, &slot_bytes)) {
    return nullptr;
  }
  if (!socket->is_open()) return Integer(env, 0);
  return Integer(env, static_cast<int32_t>(socket->Receive(&batch, static_cast<size_t>(slot_bytes))));
}

/** send(buffer, descriptors, count, from): the first packet that waits for room in the kernel's queue, else `count`. */
napi_value Send(napi_env env, napi_callback_info info) {
  Arguments<4> arguments(env, info);
  UdpSocket* socket = Self(env, arguments.self);
  Batch batch;
  int64_t from = 0;
  if (socket == nullptr || !ReadBatch(env, arguments[0], arguments[1], arguments[2], &batch) ||
      !ReadInteger(env, arguments[3], "from", 0, batch.count, &from)) {
    return nullptr;
  }
  if (!socket->is_open()) return Integer(env, static_cast<int32_t>(batch.count));
  return Integer(env, static_cast<int32_t>(socket->Send(batch, static_cast<uint32_t>(from))));
}

napi_value LastSent(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  UdpSocket* socket = Self(env, arguments.self);
  return socket == nullptr ? nullptr : Integer(env, static_cast<int32_t>(socket->last_sent()));
}

napi_value EnableGro(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  UdpSocket* socket = Self(env, arguments.self);
  return socket == nullptr ? nullptr : Boolean(env, socket->EnableGro());
}

napi_value Count(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  UdpSocket* socket = Self(env, arguments.self);
  int64_t index = 0;
  const int64_t last = static_cast<int64_t>(Counter::kCount) - 1;
  if (socket == nullptr || !ReadInteger(env, arguments[0], "counter", 0, last, &index)) return nullptr;
  return Number(env, socket->count(static_cast<Counter>(index)));
}

napi_value AddressText(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  UdpSocket* socket = Self(env, arguments.self);
  if (socket == nullptr) return nullptr;
  char host[kMaxHostText];
  FormatHost(socket->local(), host);
  return Text(env, host);
}

napi_value Port(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  UdpSocket* socket = Self(env, arguments.self);
  return socket == nullptr ? nullptr : Integer(env, static_cast<int32_t>(socket->local().port));
}

template <bool (UdpSocket::*kAbility)() const>
napi_value Ability(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  UdpSocket* socket = Self(env, arguments.self);
  return socket == nullptr ? nullptr : Boolean(env, (socket->*kAbility)());
}

template <bool kReceive>
napi_value BufferBytes(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  UdpSocket* socket = Self(env, arguments.self);
  return socket == nullptr ? nullptr : Integer(env, socket->buffer_bytes(kReceive));
}

}  // namespace

bool ExportUdpSocket(napi_env env, napi_value exports) {
  const napi_property_descriptor properties[] = {
      Method("bind", Bind),
      Method("close", Close),
      Method("receive", Receive),
      Method("send", Send),
      Method("lastSent", LastSent),
      Method("enableGro", EnableGro),
      Method("count", Count),
      Getter("address", AddressText),
      Getter("port", Port),
      Getter("gso", Ability<&UdpSocket::gso>),
      Getter("gro", Ability<&UdpSocket::gro>),
      Getter("ecn", Ability<&UdpSocket::ecn>),
      Getter("localAddress", Ability<&UdpSocket::local_address>),
      Getter("dontFragment", Ability<&UdpSocket::dont_fragment>),
      Getter("receiveBufferBytes", BufferBytes<true>),
      Getter("sendBufferBytes", BufferBytes<false>),
  };
  return ExportClass(env, exports, "UdpSocket", Construct, properties, sizeof properties / sizeof *properties);
}

}  // namespace riposte
