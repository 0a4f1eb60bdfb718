// Proof that libuv inside this process is the one that runtime.h declares. The ciphers are proven from
// JavaScript, against published vectors, through the calls that packets take (self-test.ts).
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "classes.h"
#include "js.h"
#include "runtime.h"

namespace riposte {

namespace {

struct PollProof {
  int events = 0;
  bool closed = false;
};

void OnPoll(UvHandle* handle, int status, int events) {
  auto* proof = static_cast<PollProof*>(GetRuntime().uv.handle_get_data(handle));
  proof->events = status < 0 ? status : events;
}

void OnClosed(UvHandle* handle) {
  static_cast<PollProof*>(GetRuntime().uv.handle_get_data(handle))->closed = true;
}

/** Polls one end of a pair of sockets on a loop of its own; null when all went as it must. */
const char* ProvePoll(uv_loop_s* loop, UvHandle* handle, const int pair[2]) {
  const Libuv& uv = GetRuntime().uv;
  if (uv.loop_init(loop) != 0) return "uv_loop_init failed";
  PollProof proof;
  const char* problem = nullptr;
  if (uv.poll_init(loop, handle, pair[0]) != 0) return "uv_poll_init failed";
  uv.handle_set_data(handle, &proof);
  if (uv.poll_start(handle, kUvReadable, OnPoll) != 0) problem = "uv_poll_start failed";
  uv.run(loop, kUvRunNoWait);
  if (proof.events != 0) problem = "uv_poll reported events too early";
  const ssize_t written = write(pair[1], "x", 1);
  uv.run(loop, kUvRunNoWait);
  if (written != 1 || proof.events != kUvReadable) problem = "uv_poll reported no readable socket";
  uv.poll_stop(handle);
  uv.close(handle, OnClosed);
  uv.run(loop, kUvRunOnce);
  if (!proof.closed) problem = "uv_close did not end";
  return uv.loop_close(loop) == 0 ? problem : "uv_loop_close failed";
}

const char* ProveLibuv() {
  const Libuv& uv = GetRuntime().uv;
  const size_t handle_bytes = uv.handle_size(kUvPollType);
  const size_t loop_bytes = uv.loop_size();
  constexpr size_t kSane = 1 << 16;
  if (handle_bytes == 0 || handle_bytes > kSane || loop_bytes == 0 || loop_bytes > kSane) {
    return "libuv reports odd sizes";
  }
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) return "no socketpair";
  auto* loop = static_cast<uv_loop_s*>(calloc(1, loop_bytes));
  auto* handle = static_cast<UvHandle*>(calloc(1, handle_bytes));
  const char* problem = loop == nullptr || handle == nullptr ? "no memory" : ProvePoll(loop, handle, pair);
  free(handle);
  free(loop);
  close(pair[0]);
  close(pair[1]);
  return problem;
}

napi_value PollSelfTest(napi_env env, napi_callback_info) {
  const char* problem = ProveLibuv();
  return problem == nullptr ? nullptr : Text(env, problem);
}

napi_value HasAes(napi_env env, napi_callback_info) { return Boolean(env, HasAesInstructions()); }

#ifdef RIPOSTE_OVERRUN
/** Writes one byte beyond a buffer: a test of the sanitizers that test this addon, and in no other build. */
napi_value Overrun(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  uint8_t* data = nullptr;
  size_t length = 0;
  if (!ReadBytes(env, arguments[0], "buffer", &data, &length)) return nullptr;
  const volatile size_t beyond = length;
  data[beyond] = 0;
  return nullptr;
}
#endif

}  // namespace

bool ExportSelfTest(napi_env env, napi_value exports) {
  const napi_property_descriptor properties[] = {
      Method("pollSelfTest", PollSelfTest),
      Method("hasAes", HasAes),
#ifdef RIPOSTE_OVERRUN
      Method("overrun", Overrun),
#endif
  };
  return napi_define_properties(env, exports, sizeof properties / sizeof *properties, properties) == napi_ok;
}

}  // namespace riposte
