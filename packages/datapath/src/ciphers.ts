import type { KeyOptions } from "./datapath.ts";

/** The AEADs of TLS 1.3 and QUIC, by the names that node:crypto has for them. */
export type CipherName = "aes-128-gcm" | "aes-256-gcm" | "chacha20-poly1305";

export interface CipherTraits {
  readonly keyBytes: number;
  /** What makes the mask of header protection, RFC 9001 section 5.4. */
  readonly headerCipher: "aes-128-ecb" | "aes-256-ecb" | "chacha20";
}

/** In the order of native/cipher_key.h. */
export const CIPHER_NAMES: readonly CipherName[] = ["aes-128-gcm", "aes-256-gcm", "chacha20-poly1305"];
const DEFAULT_CIPHER: CipherName = "chacha20-poly1305";

const TRAITS: Readonly<Record<CipherName, CipherTraits>> = {
  "aes-128-gcm": { keyBytes: 16, headerCipher: "aes-128-ecb" },
  "aes-256-gcm": { keyBytes: 32, headerCipher: "aes-256-ecb" },
  "chacha20-poly1305": { keyBytes: 32, headerCipher: "chacha20" },
};

export const TAG_BYTES = 16;
export const IV_BYTES = 12;
/** Header protection looks at as many bytes of ciphertext. */
export const SAMPLE_BYTES = 16;
/** RFC 9001 section 5.4.2: the sample starts as if the packet number had four bytes. */
export const SAMPLE_OFFSET = 4;
/** Of one packet, tag included: no UDP datagram has more. */
export const MAX_PACKET_BYTES = 65_535;
const MAX_PREFIX_BYTES = 64;

export function traitsOf(cipher: CipherName): CipherTraits {
  return TRAITS[cipher];
}

export function preferredCipher(hasAesInstructions: boolean): CipherName {
  return hasAesInstructions ? "aes-128-gcm" : "chacha20-poly1305";
}

/** The cipher of a key; throws what is wrong with the key. */
export function checkKey(key: Uint8Array, aadPrefix: Uint8Array, options: KeyOptions): CipherName {
  const cipher = options.cipher ?? DEFAULT_CIPHER;
  if (!CIPHER_NAMES.includes(cipher)) throw new RangeError(`unknown cipher ${cipher as string}`);
  const { keyBytes } = TRAITS[cipher];
  const { iv, headerProtectionKey } = options;
  if (key.length !== keyBytes) throw new RangeError(`a key for ${cipher} has ${keyBytes} bytes, not ${key.length}`);
  if (aadPrefix.length > MAX_PREFIX_BYTES)
    throw new RangeError(`aadPrefix has at most ${MAX_PREFIX_BYTES} bytes, not ${aadPrefix.length}`);
  if (iv !== undefined && iv.length !== IV_BYTES) throw new RangeError(`iv has ${IV_BYTES} bytes, not ${iv.length}`);
  if (headerProtectionKey !== undefined && headerProtectionKey.length !== keyBytes)
    throw new RangeError(`headerProtectionKey has ${keyBytes} bytes, not ${headerProtectionKey.length}`);
  return cipher;
}

/** RFC 9001 section 5.4.1: the bits of a first byte that header protection hides. */
export function hiddenBits(first: number): number {
  return first >= 0x80 ? 0x0f : 0x1f;
}
