import { createCipheriv, createDecipheriv, createSecretKey } from "node:crypto";
import type { CipherGCMTypes, KeyObject } from "node:crypto";
import {
  IV_BYTES,
  MAX_PACKET_BYTES,
  SAMPLE_BYTES,
  SAMPLE_OFFSET,
  TAG_BYTES,
  checkKey,
  hiddenBits,
  traitsOf,
} from "../ciphers.ts";
import type { CipherName } from "../ciphers.ts";
import type { KeyOptions, PacketProtection } from "../datapath.ts";
import { NO_KEY } from "../packet-batch.ts";
import type { PacketBatch } from "../packet-batch.ts";
import { HeaderMask } from "./header-mask.ts";

const OPTIONS: { authTagLength: number } = { authTagLength: TAG_BYTES };
/** Room for associated data that is in the packet; only long headers of QUIC need more. */
const SHORT_AAD_BYTES = 64;

/** What sealing under one key reuses from packet to packet. */
interface Key {
  readonly cipher: CipherName;
  readonly key: KeyObject;
  readonly iv: Uint8Array | undefined;
  readonly headerMask: HeaderMask | undefined;
  /** The prefix, then room for the packet's own associated data. */
  readonly aad: Uint8Array;
  readonly prefixLength: number;
  /** A view of `aad` as long as the last packet needed. */
  aadView: Uint8Array;
}

/**
 * Packet protection by node:crypto, one cipher object per packet: most of a small packet's cost is
 * that object, not the cipher. A `KeyObject` saves a third of it against raw key bytes.
 */
export class PortablePacketProtection implements PacketProtection {
  readonly #keys: (Key | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #nonce = new Uint8Array(IV_BYTES);
  readonly #nonceView: DataView = new DataView(this.#nonce.buffer);

  get keyCount(): number {
    return this.#keys.length - this.#free.length;
  }

  addKey(key: Uint8Array, aadPrefix: Uint8Array, options: KeyOptions = {}): number {
    const cipher = checkKey(key, aadPrefix, options);
    const { iv, headerProtectionKey } = options;
    const aad = new Uint8Array(aadPrefix.length + SHORT_AAD_BYTES);
    aad.set(aadPrefix);
    const entry: Key = {
      cipher,
      key: createSecretKey(key),
      iv: iv?.slice(),
      headerMask:
        headerProtectionKey === undefined
          ? undefined
          : new HeaderMask(traitsOf(cipher).headerCipher, headerProtectionKey),
      aad,
      prefixLength: aadPrefix.length,
      aadView: aad,
    };
    const handle = this.#free.pop() ?? this.#keys.length;
    this.#keys[handle] = entry;
    return handle;
  }

  releaseKey(handle: number): void {
    const key = this.#keys[handle];
    if (key === undefined) throw new RangeError(`unknown key ${handle}`);
    key.iv?.fill(0);
    // The KeyObject's memory is wiped when it is collected.
    this.#keys[handle] = undefined;
    this.#free.push(handle);
  }

  seal(batch: PacketBatch): void {
    const { buffer } = batch;
    for (let i = 0; i < batch.count; i += 1) {
      const handle = batch.key[i];
      if (handle === NO_KEY) continue;
      const key = this.#keys[handle];
      if (key === undefined) throw new RangeError(`unknown key ${handle}`);
      const header = batch.headerLength[i];
      if (!fits(batch, i, TAG_BYTES) || header > batch.length[i])
        throw new RangeError(`packet ${i} does not fit its slot with its header and tag`);
      if (!this.#setNonce(key, batch.packetNumber[i]))
        throw new RangeError(`packet ${i} has the number ${batch.packetNumber[i]}`);
      const start = batch.offset[i];
      const end = start + batch.length[i];
      const body = start + header;
      const numberLength = (buffer[start] & 3) + 1;
      if (key.headerMask !== undefined && (header <= numberLength || end - body + numberLength < SAMPLE_OFFSET))
        throw new RangeError(`packet ${i} is too short for header protection`);
      const cipher = createCipheriv(key.cipher as CipherGCMTypes, key.key, this.#nonce, OPTIONS);
      cipher.setAAD(associatedData(key, buffer, start, batch.aadLength[i]));
      buffer.set(cipher.update(buffer.subarray(body, end)), body);
      cipher.final();
      buffer.set(cipher.getAuthTag(), end);
      if (key.headerMask !== undefined) protectHeader(key.headerMask, buffer, start, body - numberLength, numberLength);
      batch.length[i] = end + TAG_BYTES - start;
      batch.key[i] = NO_KEY;
    }
  }

  unprotect(batch: PacketBatch): void {
    const { buffer } = batch;
    for (let i = 0; i < batch.count; i += 1) {
      const handle = batch.key[i];
      if (handle === NO_KEY) continue;
      const start = batch.offset[i];
      const header = batch.headerLength[i];
      if (!holds(batch, start, batch.length[i])) throw new RangeError(`packet ${i} does not fit its slot`);
      const headerMask = this.#keys[handle]?.headerMask;
      if (headerMask === undefined || header < 1 || header + SAMPLE_OFFSET + SAMPLE_BYTES > batch.length[i]) {
        batch.packetNumber[i] = -1;
        continue;
      }
      const at = start + header;
      const mask = headerMask.of(buffer.subarray(at + SAMPLE_OFFSET, at + SAMPLE_OFFSET + SAMPLE_BYTES));
      buffer[start] ^= mask[0] & hiddenBits(buffer[start]);
      const numberLength = (buffer[start] & 3) + 1;
      let number = 0;
      for (let byte = 0; byte < numberLength; byte += 1) {
        buffer[at + byte] ^= mask[1 + byte];
        number = number * 256 + buffer[at + byte];
      }
      batch.packetNumber[i] = number;
      batch.headerLength[i] = header + numberLength;
      batch.aadLength[i] = header + numberLength;
    }
  }

  open(batch: PacketBatch): void {
    const { buffer } = batch;
    for (let i = 0; i < batch.count; i += 1) {
      const handle = batch.key[i];
      if (handle === NO_KEY) continue;
      if (!fits(batch, i, 0)) throw new RangeError(`packet ${i} does not fit its slot with its header`);
      const key = this.#keys[handle];
      const start = batch.offset[i];
      const body = start + batch.headerLength[i];
      const tag = start + batch.length[i] - TAG_BYTES;
      if (key === undefined || tag < body || !this.#setNonce(key, batch.packetNumber[i])) continue;
      const decipher = createDecipheriv(key.cipher as CipherGCMTypes, key.key, this.#nonce, OPTIONS);
      decipher.setAAD(associatedData(key, buffer, start, batch.aadLength[i]));
      decipher.setAuthTag(buffer.subarray(tag, tag + TAG_BYTES));
      const plaintext = decipher.update(buffer.subarray(body, tag));
      try {
        decipher.final();
      } catch {
        continue;
      }
      buffer.set(plaintext, body);
      batch.length[i] = tag - start;
      batch.opened[i] = 1;
    }
  }

  /** False for what is no packet number. */
  #setNonce(key: Key, packetNumber: number): boolean {
    if (!Number.isSafeInteger(packetNumber) || packetNumber < 0) return false;
    const high = Math.floor(packetNumber / 0x1_0000_0000);
    const view = this.#nonceView;
    if (key.iv === undefined) {
      // netcode 1.02, "Encrypted Packets": four zero bytes, then the sequence number little-endian.
      view.setUint32(0, 0);
      view.setUint32(4, packetNumber, true);
      view.setUint32(8, high, true);
      return true;
    }
    // RFC 9001 section 5.3.
    this.#nonce.set(key.iv);
    view.setUint32(4, view.getUint32(4) ^ high);
    view.setUint32(8, view.getUint32(8) ^ packetNumber);
    return true;
  }
}

/** True when the bytes lie within the buffer. */
function holds(batch: PacketBatch, start: number, length: number): boolean {
  return start >= 0 && length >= 0 && start + length <= batch.buffer.length;
}

/** True when the packet, with `extra` bytes behind it, lies in the buffer, and its associated data in its header. */
function fits(batch: PacketBatch, i: number, extra: number): boolean {
  const length = batch.length[i];
  const aad = batch.aadLength[i];
  return (
    length >= 0 &&
    length + extra <= MAX_PACKET_BYTES &&
    holds(batch, batch.offset[i], length + extra) &&
    aad >= 0 &&
    aad <= batch.headerLength[i]
  );
}

function protectHeader(
  headerMask: HeaderMask,
  buffer: Uint8Array,
  start: number,
  at: number,
  numberLength: number,
): void {
  const mask = headerMask.of(buffer.subarray(at + SAMPLE_OFFSET, at + SAMPLE_OFFSET + SAMPLE_BYTES));
  buffer[start] ^= mask[0] & hiddenBits(buffer[start]);
  for (let byte = 0; byte < numberLength; byte += 1) buffer[at + byte] ^= mask[1 + byte];
}

function associatedData(key: Key, buffer: Uint8Array, start: number, length: number): Uint8Array {
  const { aad, prefixLength } = key;
  const total = prefixLength + length;
  if (length > SHORT_AAD_BYTES) {
    const long = new Uint8Array(total);
    long.set(aad.subarray(0, prefixLength));
    long.set(buffer.subarray(start, start + length), prefixLength);
    return long;
  }
  if (key.aadView.length !== total) key.aadView = aad.subarray(0, total);
  for (let i = 0; i < length; i += 1) aad[prefixLength + i] = buffer[start + i];
  return key.aadView;
}
