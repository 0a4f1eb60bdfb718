// What the addon exports, and what its classes know of each other.
#pragma once

#include <node_api.h>

namespace riposte {

class AddressTable;

bool ExportAddressTable(napi_env env, napi_value exports);
bool ExportPacketProtection(napi_env env, napi_value exports);
bool ExportUdpSocket(napi_env env, napi_value exports);
bool ExportSelfTest(napi_env env, napi_value exports);

/** The native half of a JavaScript `AddressTable`, or null with a `TypeError` thrown. */
AddressTable* ReadAddressTable(napi_env env, napi_value value);

}  // namespace riposte
