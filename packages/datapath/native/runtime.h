// OpenSSL and libuv as the running Node carries them, found by name and never linked.
//
// Declared here instead of included: headers of a distribution's Node may lack both, and what counts is
// the library inside the process, which may be newer. Handles are allocated by the sizes it reports. The
// self-test proves that the declarations fit it.
#pragma once

#include <cstddef>
#include <cstdint>

struct uv_loop_s;

namespace riposte {

struct EvpCipher;
struct EvpContext;

/** OpenSSL 1.1 to 3; all return 1 for success where they return int. */
struct OpenSsl {
  EvpContext* (*context_new)();
  void (*context_free)(EvpContext*);
  int (*context_control)(EvpContext*, int command, int number, void* pointer);
  int (*set_padding)(EvpContext*, int on);
  int (*encrypt_init)(EvpContext*, const EvpCipher*, void* engine, const uint8_t* key, const uint8_t* iv);
  int (*encrypt_update)(EvpContext*, uint8_t* out, int* out_length, const uint8_t* in, int in_length);
  int (*encrypt_final)(EvpContext*, uint8_t* out, int* out_length);
  int (*decrypt_init)(EvpContext*, const EvpCipher*, void* engine, const uint8_t* key, const uint8_t* iv);
  int (*decrypt_update)(EvpContext*, uint8_t* out, int* out_length, const uint8_t* in, int in_length);
  int (*decrypt_final)(EvpContext*, uint8_t* out, int* out_length);
  void (*cleanse)(void*, size_t);
  void (*clear_errors)();
  const EvpCipher* (*aes_128_gcm)();
  const EvpCipher* (*aes_256_gcm)();
  const EvpCipher* (*chacha20_poly1305)();
  const EvpCipher* (*aes_128_ecb)();
  const EvpCipher* (*aes_256_ecb)();
  const EvpCipher* (*chacha20)();
};

constexpr int kEvpSetIvLength = 0x9;
constexpr int kEvpGetTag = 0x10;
constexpr int kEvpSetTag = 0x11;

struct UvHandle;
using UvPollCallback = void (*)(UvHandle*, int status, int events);
using UvCloseCallback = void (*)(UvHandle*);

/** libuv 1.19 and newer; a poll handle and its base are one address. */
struct Libuv {
  size_t (*handle_size)(int type);
  void* (*handle_get_data)(const UvHandle*);
  void (*handle_set_data)(UvHandle*, void*);
  int (*poll_init)(uv_loop_s*, UvHandle*, int fd);
  int (*poll_start)(UvHandle*, int events, UvPollCallback);
  int (*poll_stop)(UvHandle*);
  void (*close)(UvHandle*, UvCloseCallback);
  size_t (*loop_size)();
  int (*loop_init)(uv_loop_s*);
  int (*loop_close)(uv_loop_s*);
  int (*run)(uv_loop_s*, int mode);
};

constexpr int kUvPollType = 8;
constexpr int kUvReadable = 1;
constexpr int kUvWritable = 2;
constexpr int kUvRunOnce = 1;
constexpr int kUvRunNoWait = 2;

struct Runtime {
  OpenSsl openssl;
  Libuv uv;
  /** The first name that the process does not have; null when it has all. */
  const char* missing;
};

/** Looked up once in the process. */
const Runtime& GetRuntime();

/** True where the processor computes AES and GHASH itself. */
bool HasAesInstructions();

}  // namespace riposte
