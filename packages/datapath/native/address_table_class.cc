// `AddressTable` as JavaScript sees it: the very interface of datapath.ts.
#include <cstdio>

#include "address_table.h"
#include "classes.h"

namespace riposte {

namespace {

// Tells a table from any other object that is handed in as one.
constexpr napi_type_tag kTag = {0x7269'706f'7374'6501, 0x6164'6472'6573'7301};

AddressTable* Self(napi_env env, napi_value self) {
  return static_cast<AddressTable*>(Unwrap(env, self, Kind::kAddressTable));
}

/** Receiver and path of a call; false with an error thrown. */
bool SelfAndPath(napi_env env, napi_callback_info info, AddressTable** table, int32_t* path) {
  Arguments<1> arguments(env, info);
  *table = Self(env, arguments.self);
  int64_t value = 0;
  if (*table == nullptr || !ReadInteger(env, arguments[0], "path", INT32_MIN, INT32_MAX, &value)) return false;
  *path = static_cast<int32_t>(value);
  if ((*table)->Has(value)) return true;
  ThrowRange(env, "unknown path %d", *path);
  return false;
}

void Finalize(napi_env env, void* data, void*) {
  auto* table = static_cast<AddressTable*>(data);
  int64_t total = 0;
  napi_adjust_external_memory(env, -static_cast<int64_t>(table->bytes()), &total);
  delete table;
}

napi_value Construct(napi_env env, napi_callback_info info) {
  if (!IsConstruction(env, info)) return nullptr;
  Arguments<1> arguments(env, info);
  int64_t capacity = 0;
  if (!ReadInteger(env, arguments[0], "capacity", 1, AddressTable::kMaxCapacity, &capacity)) return nullptr;
  AddressTable* table = AddressTable::Create(static_cast<uint32_t>(capacity));
  if (table == nullptr) return ThrowRange(env, "no memory for %lld paths", static_cast<long long>(capacity));
  if (napi_wrap(env, arguments.self, table, Finalize, nullptr, nullptr) != napi_ok) {
    delete table;
    return ThrowType(env, "illegal receiver");
  }
  int64_t total = 0;
  napi_adjust_external_memory(env, static_cast<int64_t>(table->bytes()), &total);
  napi_type_tag_object(env, arguments.self, &kTag);
  return arguments.self;
}

napi_value Capacity(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  AddressTable* table = Self(env, arguments.self);
  return table == nullptr ? nullptr : Number(env, table->capacity());
}

napi_value Size(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  AddressTable* table = Self(env, arguments.self);
  return table == nullptr ? nullptr : Number(env, table->size());
}

napi_value Recycled(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  AddressTable* table = Self(env, arguments.self);
  return table == nullptr ? nullptr : Number(env, table->recycled());
}

napi_value Intern(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  AddressTable* table = Self(env, arguments.self);
  char host[kMaxHostText];
  int64_t port = 0;
  if (table == nullptr || !ReadText(env, arguments[0], "host", host, sizeof host)) return nullptr;
  if (!ReadInteger(env, arguments[1], "port", 0, 65'535, &port)) return nullptr;
  Address address;
  if (!ParseHost(host, &address)) return ThrowRange(env, "host must be an IP address, not %s", host);
  address.port = static_cast<uint32_t>(port);
  return Integer(env, table->Intern(address));
}

napi_value Retain(napi_env env, napi_callback_info info) {
  AddressTable* table;
  int32_t path;
  if (!SelfAndPath(env, info, &table, &path)) return nullptr;
  if (!table->Retain(path)) return ThrowRange(env, "path %d is retained too often", path);
  return nullptr;
}

napi_value Release(napi_env env, napi_callback_info info) {
  AddressTable* table;
  int32_t path;
  if (!SelfAndPath(env, info, &table, &path)) return nullptr;
  if (!table->Release(path)) return ThrowRange(env, "path %d is not retained", path);
  return nullptr;
}

napi_value Name(napi_env env, napi_callback_info info) {
  AddressTable* table;
  int32_t path;
  if (!SelfAndPath(env, info, &table, &path)) return nullptr;
  const Address& address = table->AddressOf(path);
  char host[kMaxHostText];
  char name[kMaxHostText + 8];
  FormatHost(address, host);
  snprintf(name, sizeof name, "%s %u", host, address.port);
  return Text(env, name);
}

napi_value Host(napi_env env, napi_callback_info info) {
  AddressTable* table;
  int32_t path;
  if (!SelfAndPath(env, info, &table, &path)) return nullptr;
  char host[kMaxHostText];
  FormatHost(table->AddressOf(path), host);
  return Text(env, host);
}

napi_value Port(napi_env env, napi_callback_info info) {
  AddressTable* table;
  int32_t path;
  if (!SelfAndPath(env, info, &table, &path)) return nullptr;
  return Integer(env, static_cast<int32_t>(table->AddressOf(path).port));
}

napi_value Has(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  AddressTable* table = Self(env, arguments.self);
  int64_t path = 0;
  if (table == nullptr || !ReadInteger(env, arguments[0], "path", INT32_MIN, INT32_MAX, &path)) return nullptr;
  return Boolean(env, table->Has(path));
}

}  // namespace

AddressTable* ReadAddressTable(napi_env env, napi_value value) {
  bool ours = false;
  if (napi_check_object_type_tag(env, value, &kTag, &ours) != napi_ok || !ours) {
    ThrowType(env, "addresses must come from this datapath's createAddressTable");
    return nullptr;
  }
  return Self(env, value);
}

bool ExportAddressTable(napi_env env, napi_value exports) {
  const napi_property_descriptor properties[] = {
      Getter("capacity", Capacity), Getter("size", Size),     Getter("recycled", Recycled),
      Method("intern", Intern),     Method("retain", Retain), Method("release", Release),
      Method("name", Name),         Method("host", Host),     Method("port", Port),
      Method("has", Has),
  };
  return ExportClass(env, exports, "AddressTable", Construct, properties, sizeof properties / sizeof *properties);
}

}  // namespace riposte
