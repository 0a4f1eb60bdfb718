#include "runtime.h"

#include <dlfcn.h>

#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace riposte {

namespace {

class Lookup {
 public:
  template <typename Function>
  void Find(const char* name, Function* out) {
    void* symbol = dlsym(RTLD_DEFAULT, name);
    if (symbol == nullptr && missing_ == nullptr) missing_ = name;
    *out = reinterpret_cast<Function>(symbol);
  }
  const char* missing() const { return missing_; }

 private:
  const char* missing_ = nullptr;
};

Runtime Find() {
  Runtime runtime = {};
  Lookup lookup;
  OpenSsl& ssl = runtime.openssl;
  lookup.Find("EVP_CIPHER_CTX_new", &ssl.context_new);
  lookup.Find("EVP_CIPHER_CTX_free", &ssl.context_free);
  lookup.Find("EVP_CIPHER_CTX_ctrl", &ssl.context_control);
  lookup.Find("EVP_CIPHER_CTX_set_padding", &ssl.set_padding);
  lookup.Find("EVP_EncryptInit_ex", &ssl.encrypt_init);
  lookup.Find("EVP_EncryptUpdate", &ssl.encrypt_update);
  lookup.Find("EVP_EncryptFinal_ex", &ssl.encrypt_final);
  lookup.Find("EVP_DecryptInit_ex", &ssl.decrypt_init);
  lookup.Find("EVP_DecryptUpdate", &ssl.decrypt_update);
  lookup.Find("EVP_DecryptFinal_ex", &ssl.decrypt_final);
  lookup.Find("OPENSSL_cleanse", &ssl.cleanse);
  lookup.Find("ERR_clear_error", &ssl.clear_errors);
  lookup.Find("EVP_aes_128_gcm", &ssl.aes_128_gcm);
  lookup.Find("EVP_aes_256_gcm", &ssl.aes_256_gcm);
  lookup.Find("EVP_chacha20_poly1305", &ssl.chacha20_poly1305);
  lookup.Find("EVP_aes_128_ecb", &ssl.aes_128_ecb);
  lookup.Find("EVP_aes_256_ecb", &ssl.aes_256_ecb);
  lookup.Find("EVP_chacha20", &ssl.chacha20);
  Libuv& uv = runtime.uv;
  lookup.Find("uv_handle_size", &uv.handle_size);
  lookup.Find("uv_handle_get_data", &uv.handle_get_data);
  lookup.Find("uv_handle_set_data", &uv.handle_set_data);
  lookup.Find("uv_poll_init", &uv.poll_init);
  lookup.Find("uv_poll_start", &uv.poll_start);
  lookup.Find("uv_poll_stop", &uv.poll_stop);
  lookup.Find("uv_close", &uv.close);
  lookup.Find("uv_loop_size", &uv.loop_size);
  lookup.Find("uv_loop_init", &uv.loop_init);
  lookup.Find("uv_loop_close", &uv.loop_close);
  lookup.Find("uv_run", &uv.run);
  runtime.missing = lookup.missing();
  return runtime;
}

}  // namespace

const Runtime& GetRuntime() {
  static const Runtime runtime = Find();
  return runtime;
}

bool HasAesInstructions() {
#if defined(__x86_64__) || defined(__i386__)
  return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
#elif defined(__aarch64__)
  const unsigned long capabilities = getauxval(AT_HWCAP);
  return (capabilities & HWCAP_AES) != 0 && (capabilities & HWCAP_PMULL) != 0;
#else
  return false;
#endif
}

}  // namespace riposte
