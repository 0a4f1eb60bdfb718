import { createCipheriv, createSecretKey } from "node:crypto";
import type { Cipheriv, KeyObject } from "node:crypto";
import type { CipherTraits } from "../ciphers.ts";

const ZEROS = new Uint8Array(5);

/** The five bytes that hide the first byte and the packet number of a QUIC packet, RFC 9001 section 5.4. */
export class HeaderMask {
  readonly #key: KeyObject;
  /** AES in ECB mode keeps no state between blocks: one object serves all packets. */
  readonly #ecb: Cipheriv | undefined;

  constructor(cipher: CipherTraits["headerCipher"], key: Uint8Array) {
    this.#key = createSecretKey(key);
    this.#ecb = cipher === "chacha20" ? undefined : createCipheriv(cipher, this.#key, null).setAutoPadding(false);
  }

  /** Of a sample of 16 bytes; the mask is its first five bytes. */
  of(sample: Uint8Array): Uint8Array {
    if (this.#ecb !== undefined) return this.#ecb.update(sample);
    // RFC 9001 section 5.4.4: the sample is counter and nonce, as OpenSSL takes them too.
    return createCipheriv("chacha20", this.#key, sample).update(ZEROS);
  }
}
