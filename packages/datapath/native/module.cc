// The addon: batched UDP and packet protection. Everything it keeps belongs to one JavaScript object, so it
// may be loaded by any number of threads and contexts.
#include "classes.h"
#include "js.h"
#include "runtime.h"

NAPI_MODULE_INIT() {
  using namespace riposte;
  const char* missing = GetRuntime().missing;
  if (missing != nullptr) return ThrowType(env, "this Node does not offer %s", missing);
  const bool exported = ExportAddressTable(env, exports) && ExportPacketProtection(env, exports) &&
                        ExportUdpSocket(env, exports) && ExportSelfTest(env, exports);
  return exported ? exports : ThrowType(env, "the addon could not be set up");
}
