/** The cryptography of a machine in plain JavaScript: for browsers, tools and tests. */
import { chacha20poly1305, xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import type { Aead, Crypto } from "../machine.ts";
import { TAG_BYTES } from "./constants.ts";

/** `randomBytes` must be fit for keys, unless a test wants to repeat itself. */
export function nobleCrypto(randomBytes: (length: number) => Uint8Array): Crypto {
  return {
    chacha20Poly1305: nobleAead(chacha20poly1305),
    xchacha20Poly1305: nobleAead(xchacha20poly1305),
    randomBytes,
  };
}

function nobleAead(cipher: typeof chacha20poly1305): Aead {
  return {
    seal(key, nonce, aad, buffer, offset, length) {
      const target = buffer.subarray(offset, offset + length + TAG_BYTES);
      cipher(key, nonce, aad).encrypt(target.subarray(0, length), target);
    },
    open(key, nonce, aad, buffer, offset, length) {
      if (length < TAG_BYTES) return false;
      const source = buffer.subarray(offset, offset + length);
      try {
        cipher(key, nonce, aad).decrypt(source, source.subarray(0, length - TAG_BYTES));
        return true;
      } catch {
        return false; // The library throws on a wrong tag; nothing else here can be wrong.
      }
    },
  };
}
