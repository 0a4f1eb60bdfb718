{
  "variables": {
    # Set by the repository's own builds (`-- -Dwarnings_as_errors=1`): a stranger's newer compiler may know new warnings.
    "warnings_as_errors%": 0,
    # AddressSanitizer and UndefinedBehaviorSanitizer, for the tests.
    "sanitize%": 0
  },
  "targets": [
    {
      "target_name": "riposte_datapath",
      "conditions": [
        ["OS=='linux'", {
          "sources": [
            "native/address.cc",
            "native/address_table.cc",
            "native/address_table_class.cc",
            "native/batch.cc",
            "native/cipher_key.cc",
            "native/js.cc",
            "native/module.cc",
            "native/packet_protection_class.cc",
            "native/self_test.cc",
            "native/socket_options.cc",
            "native/udp_receive.cc",
            "native/udp_send.cc",
            "native/udp_socket.cc",
            "native/udp_socket_class.cc",
            "native/runtime.cc"
          ],
          "defines": ["NAPI_VERSION=9"],
          "cflags_cc": ["-std=c++17", "-O2", "-Wall", "-Wextra", "-fno-exceptions", "-fno-rtti", "-fvisibility=hidden"],
          "libraries": ["-ldl"]
        }, {
          # Elsewhere the portable form does it all.
          "type": "none"
        }],
        ["warnings_as_errors==1", { "cflags_cc": ["-Werror"] }],
        ["sanitize==1", {
          "defines": ["RIPOSTE_OVERRUN"],
          "cflags_cc": ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer", "-g", "-O1"],
          "ldflags": ["-fsanitize=address,undefined"]
        }]
      ]
    }
  ]
}
