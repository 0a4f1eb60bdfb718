import { createCipheriv, createDecipheriv, randomFillSync } from "node:crypto";
import type { DatapathAead, DatapathCrypto } from "../datapath.ts";
import { hchacha20 } from "./hchacha20.ts";

const TAG_BYTES = 16;
const OPTIONS: { authTagLength: number } = { authTagLength: TAG_BYTES };

function aead(name: "chacha20-poly1305" | "aes-256-gcm"): DatapathAead {
  // node:crypto types the two apart, and treats them alike.
  const cipherName = name as "chacha20-poly1305";
  return {
    seal(key, nonce, aad, buffer, offset, length) {
      const cipher = createCipheriv(cipherName, key, nonce, OPTIONS);
      cipher.setAAD(aad);
      const end = offset + length;
      if (end + TAG_BYTES > buffer.length) throw new RangeError("no room for the tag");
      buffer.set(cipher.update(buffer.subarray(offset, end)), offset);
      cipher.final();
      buffer.set(cipher.getAuthTag(), end);
    },
    open(key, nonce, aad, buffer, offset, length) {
      const end = offset + length - TAG_BYTES;
      if (end < offset) return false;
      const decipher = createDecipheriv(cipherName, key, nonce, OPTIONS);
      decipher.setAAD(aad);
      decipher.setAuthTag(buffer.subarray(end, end + TAG_BYTES));
      const plaintext = decipher.update(buffer.subarray(offset, end));
      try {
        decipher.final();
      } catch {
        return false;
      }
      buffer.set(plaintext, offset);
      return true;
    },
  };
}

const chacha20Poly1305 = aead("chacha20-poly1305");

const xchacha20Poly1305: DatapathAead = {
  seal(key, nonce, aad, buffer, offset, length) {
    const subkey = hchacha20(key, nonce);
    chacha20Poly1305.seal(subkey, subnonce(nonce), aad, buffer, offset, length);
    subkey.fill(0);
  },
  open(key, nonce, aad, buffer, offset, length) {
    const subkey = hchacha20(key, nonce);
    const opened = chacha20Poly1305.open(subkey, subnonce(nonce), aad, buffer, offset, length);
    subkey.fill(0);
    return opened;
  },
};

const crypto: DatapathCrypto = {
  chacha20Poly1305,
  xchacha20Poly1305,
  aes256Gcm: aead("aes-256-gcm"),
  randomBytes: (length) => randomFillSync(new Uint8Array(length)),
};

/** The cryptography that protocol machines need, by node:crypto. Nonces of 12 bytes, and 24 for XChaCha20. */
export function nodeCrypto(): DatapathCrypto {
  return crypto;
}

/** draft-irtf-cfrg-xchacha-03 section 2.3: four zero bytes, then the nonce's last eight. */
function subnonce(nonce: Uint8Array): Uint8Array {
  if (nonce.length !== 24) throw new RangeError(`an XChaCha20 nonce has 24 bytes, not ${nonce.length}`);
  const short = new Uint8Array(12);
  short.set(nonce.subarray(16), 4);
  return short;
}
