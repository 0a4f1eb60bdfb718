// Small words over Node-API: reading arguments and throwing.
//
// Simplifying assumption: every callback runs on the thread of its environment, and none calls back
// into JavaScript while it holds a pointer into a caller's buffer.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>

namespace riposte {

/** What a wrapped object is: checked at every call, behind V8's own check of the receiver. */
enum class Kind : uint32_t { kAddressTable = 0x5441'0001, kPacketProtection = 0x5050'0002, kUdpSocket = 0x5355'0003 };

struct Wrapped {
  const Kind kind;
};

/** Throws, and returns what a callback returns then. */
[[gnu::format(printf, 2, 3)]] napi_value ThrowRange(napi_env env, const char* format, ...);
[[gnu::format(printf, 2, 3)]] napi_value ThrowType(napi_env env, const char* format, ...);

/** A callback's receiver and arguments; missing ones are `undefined`. */
template <size_t kCount>
struct Arguments {
  Arguments(napi_env env, napi_callback_info info) {
    size_t count = kCount;
    napi_get_cb_info(env, info, &count, values, &self, nullptr);
  }

  napi_value operator[](size_t index) const { return values[index]; }

  napi_value self = nullptr;
  napi_value values[kCount] = {};
};

/** The native half of `value`, or null with a `TypeError` thrown. */
Wrapped* Unwrap(napi_env env, napi_value value, Kind kind);

/** True inside `new`; else a `TypeError` is thrown. */
bool IsConstruction(napi_env env, napi_callback_info info);

/** True for an integer from `low` to `high`; else a `RangeError` that names it is thrown. */
bool ReadInteger(napi_env env, napi_value value, const char* name, int64_t low, int64_t high, int64_t* out);

/** Reads text of less than `size` bytes; else throws. */
bool ReadText(napi_env env, napi_value value, const char* name, char* out, size_t size);

/** The bytes of a `Uint8Array`; else a `TypeError` is thrown. `data` is null when there are none. */
bool ReadBytes(napi_env env, napi_value value, const char* name, uint8_t** data, size_t* length);

napi_value Integer(napi_env env, int32_t value);
napi_value Number(napi_env env, double value);
napi_value Boolean(napi_env env, bool value);
napi_value Text(napi_env env, const char* value);

/** A method or getter of a class. */
napi_property_descriptor Method(const char* name, napi_callback callback);
napi_property_descriptor Getter(const char* name, napi_callback callback);

/** Defines a class and exports it. */
bool ExportClass(napi_env env, napi_value exports, const char* name, napi_callback constructor,
                 const napi_property_descriptor* properties, size_t count);

}  // namespace riposte
