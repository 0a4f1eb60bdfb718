#include "udp_socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <new>

namespace riposte {

int UdpSocket::Bind(const BindOptions& options, napi_value self, napi_value table_object, AddressTable* table,
                    napi_value callback) {
  const int error = Open(options);
  if (error != 0) return error;
  const Libuv& uv = GetRuntime().uv;
  uv_loop_s* loop = nullptr;
  if (napi_get_uv_event_loop(env_, &loop) == napi_ok) {
    poll_ = static_cast<UvHandle*>(calloc(1, uv.handle_size(kUvPollType)));
  }
  const int polled = poll_ == nullptr ? -ENOMEM : uv.poll_init(loop, poll_, fd_);
  if (polled != 0) {
    free(poll_);
    poll_ = nullptr;
    close(fd_);
    fd_ = -1;
    return polled;
  }
  // From here on Close() undoes it, whatever fails.
  bound_ = true;
  table_ = table;
  uv.handle_set_data(poll_, this);
  napi_value name = Text(env_, "RIPOSTE_UDP");
  const bool referenced = napi_create_reference(env_, self, 1, &self_ref_) == napi_ok &&
                          napi_create_reference(env_, table_object, 1, &table_ref_) == napi_ok &&
                          napi_create_reference(env_, callback, 1, &callback_ref_) == napi_ok &&
                          napi_async_init(env_, self, name, &async_) == napi_ok &&
                          napi_add_async_cleanup_hook(env_, OnEnvironmentEnd, this, &hook_) == napi_ok;
  const int started = referenced ? StartPolling(kUvReadable) : -ENOMEM;
  if (started != 0) Close();
  return started;
}

void UdpSocket::Close() {
  if (fd_ < 0) return;
  const Libuv& uv = GetRuntime().uv;
  uv.poll_stop(poll_);
  uv.close(poll_, OnClosed);
  // libuv allows it once the handle is stopped.
  close(fd_);
  fd_ = -1;
}

void UdpSocket::Finalize() {
  finalized_ = true;
  if (poll_ == nullptr) delete this;
}

int UdpSocket::StartPolling(int events) { return GetRuntime().uv.poll_start(poll_, events, OnPoll); }

void UdpSocket::OnPoll(UvHandle* handle, int status, int events) {
  auto* socket = static_cast<UdpSocket*>(GetRuntime().uv.handle_get_data(handle));
  if (!socket->is_open()) return;
  if (status < 0) {
    // An error waits at the socket, and libuv has stopped polling: taking the error clears it. It is loss.
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(socket->fd_, SOL_SOCKET, SO_ERROR, &error, &length);
    socket->StartPolling(socket->blocked_ ? kUvReadable | kUvWritable : kUvReadable);
    return;
  }
  if ((events & kUvWritable) != 0 && socket->blocked_) {
    socket->blocked_ = false;
    socket->StartPolling(kUvReadable);
  }
  socket->CallBack(events);
}

void UdpSocket::CallBack(int events) {
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(env_, &scope) != napi_ok) return;
  napi_value self = nullptr;
  napi_value callback = nullptr;
  napi_get_reference_value(env_, self_ref_, &self);
  napi_get_reference_value(env_, callback_ref_, &callback);
  napi_value argument = Integer(env_, events);
  napi_status status = napi_generic_failure;
  if (self != nullptr && callback != nullptr) {
    // This object may be closed by the call, but lives until OnClosed.
    status = napi_make_callback(env_, async_, self, callback, 1, &argument, nullptr);
  }
  bool thrown = false;
  if (status == napi_pending_exception && napi_is_exception_pending(env_, &thrown) == napi_ok && thrown) {
    // Nobody is above to catch it: it goes where exceptions of event handlers go. A worker that is cut off has none.
    napi_value error = nullptr;
    if (napi_get_and_clear_last_exception(env_, &error) == napi_ok) napi_fatal_exception(env_, error);
  }
  napi_close_handle_scope(env_, scope);
}

void UdpSocket::OnClosed(UvHandle* handle) {
  auto* socket = static_cast<UdpSocket*>(GetRuntime().uv.handle_get_data(handle));
  free(handle);
  socket->poll_ = nullptr;
  socket->ReleaseReferences();
  if (socket->finalized_) delete socket;
}

void UdpSocket::ReleaseReferences() {
  napi_handle_scope scope = nullptr;
  napi_open_handle_scope(env_, &scope);
  if (async_ != nullptr) napi_async_destroy(env_, async_);
  async_ = nullptr;
  napi_ref* const references[] = {&callback_ref_, &table_ref_, &self_ref_};
  for (napi_ref* reference : references) {
    if (*reference != nullptr) napi_delete_reference(env_, *reference);
    *reference = nullptr;
  }
  if (scope != nullptr) napi_close_handle_scope(env_, scope);
  // The environment may end at once when its last hook has gone.
  const napi_async_cleanup_hook_handle hook = hook_;
  hook_ = nullptr;
  if (hook != nullptr) napi_remove_async_cleanup_hook(hook);
}

void UdpSocket::OnEnvironmentEnd(napi_async_cleanup_hook_handle, void* data) {
  // Of a worker that ends, or of the process. A socket that is closing already calls back by itself.
  static_cast<UdpSocket*>(data)->Close();
}

}  // namespace riposte
