#include "js.h"

#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace riposte {

namespace {

constexpr size_t kMaxMessage = 200;

}  // namespace

napi_value ThrowRange(napi_env env, const char* format, ...) {
  char message[kMaxMessage];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  napi_throw_range_error(env, nullptr, message);
  return nullptr;
}

napi_value ThrowType(napi_env env, const char* format, ...) {
  char message[kMaxMessage];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  napi_throw_type_error(env, nullptr, message);
  return nullptr;
}

Wrapped* Unwrap(napi_env env, napi_value value, Kind kind) {
  void* found = nullptr;
  if (napi_unwrap(env, value, &found) == napi_ok && found != nullptr) {
    auto* wrapped = static_cast<Wrapped*>(found);
    if (wrapped->kind == kind) return wrapped;
  }
  ThrowType(env, "illegal receiver");
  return nullptr;
}

bool IsConstruction(napi_env env, napi_callback_info info) {
  napi_value target = nullptr;
  if (napi_get_new_target(env, info, &target) == napi_ok && target != nullptr) return true;
  ThrowType(env, "a class is called with new");
  return false;
}

bool ReadInteger(napi_env env, napi_value value, const char* name, int64_t low, int64_t high, int64_t* out) {
  double number = 0;
  if (napi_get_value_double(env, value, &number) != napi_ok) {
    ThrowType(env, "%s must be a number", name);
    return false;
  }
  // Written so that NaN fails.
  if (!(number >= static_cast<double>(low) && number <= static_cast<double>(high)) || number != std::floor(number)) {
    ThrowRange(env, "%s must be an integer from %lld to %lld, not %.17g", name, static_cast<long long>(low),
               static_cast<long long>(high), number);
    return false;
  }
  *out = static_cast<int64_t>(number);
  return true;
}

bool ReadText(napi_env env, napi_value value, const char* name, char* out, size_t size) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) {
    ThrowType(env, "%s must be a string", name);
    return false;
  }
  if (length >= size) {
    ThrowRange(env, "%s must have less than %zu bytes, not %zu", name, size, length);
    return false;
  }
  size_t copied = 0;
  if (napi_get_value_string_utf8(env, value, out, size, &copied) != napi_ok || strlen(out) != length) {
    ThrowRange(env, "%s must not contain a null character", name);
    return false;
  }
  return true;
}

bool ReadBytes(napi_env env, napi_value value, const char* name, uint8_t** data, size_t* length) {
  napi_typedarray_type type = napi_int8_array;
  void* start = nullptr;
  if (napi_get_typedarray_info(env, value, &type, length, &start, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array) {
    ThrowType(env, "%s must be a Uint8Array", name);
    return false;
  }
  // A detached or shrunk array has no bytes, whatever the pointer says.
  *data = *length == 0 ? nullptr : static_cast<uint8_t*>(start);
  if (start == nullptr) *length = 0;
  return true;
}

napi_value Integer(napi_env env, int32_t value) {
  napi_value result = nullptr;
  napi_create_int32(env, value, &result);
  return result;
}

napi_value Number(napi_env env, double value) {
  napi_value result = nullptr;
  napi_create_double(env, value, &result);
  return result;
}

napi_value Boolean(napi_env env, bool value) {
  napi_value result = nullptr;
  napi_get_boolean(env, value, &result);
  return result;
}

napi_value Text(napi_env env, const char* value) {
  napi_value result = nullptr;
  napi_create_string_utf8(env, value, NAPI_AUTO_LENGTH, &result);
  return result;
}

napi_property_descriptor Method(const char* name, napi_callback callback) {
  return {name, nullptr, callback, nullptr, nullptr, nullptr, napi_default_method, nullptr};
}

napi_property_descriptor Getter(const char* name, napi_callback callback) {
  return {name, nullptr, nullptr, callback, nullptr, nullptr, napi_default, nullptr};
}

bool ExportClass(napi_env env, napi_value exports, const char* name, napi_callback constructor,
                 const napi_property_descriptor* properties, size_t count) {
  napi_value defined = nullptr;
  return napi_define_class(env, name, NAPI_AUTO_LENGTH, constructor, nullptr, count, properties, &defined) == napi_ok &&
         napi_set_named_property(env, exports, name, defined) == napi_ok;
}

}  // namespace riposte
