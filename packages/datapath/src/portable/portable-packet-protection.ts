import { createCipheriv, createDecipheriv, createSecretKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { PacketProtection } from "../datapath.ts";
import { NO_KEY } from "../packet-batch.ts";
import type { PacketBatch } from "../packet-batch.ts";

const CIPHER = "chacha20-poly1305";
const TAG_BYTES = 16;
const OPTIONS: { authTagLength: number } = { authTagLength: TAG_BYTES };
/** Header bytes that may be associated data, at most. */
const MAX_HEADER_AAD = 64;

/** What sealing under one key reuses from packet to packet. */
interface Key {
  readonly key: KeyObject;
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
  readonly #nonce = new Uint8Array(12);
  readonly #nonceView: DataView = new DataView(this.#nonce.buffer);

  get keyCount(): number {
    return this.#keys.length - this.#free.length;
  }

  addKey(key: Uint8Array, aadPrefix: Uint8Array): number {
    if (key.length !== 32) throw new RangeError(`a key has 32 bytes, not ${key.length}`);
    const aad = new Uint8Array(aadPrefix.length + MAX_HEADER_AAD);
    aad.set(aadPrefix);
    const entry = { key: createSecretKey(key), aad, prefixLength: aadPrefix.length, aadView: aad };
    const handle = this.#free.pop() ?? this.#keys.length;
    this.#keys[handle] = entry;
    return handle;
  }

  releaseKey(handle: number): void {
    if (this.#keys[handle] === undefined) throw new RangeError(`unknown key ${handle}`);
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
      const start = batch.offset[i];
      const end = start + batch.length[i];
      const body = start + batch.headerLength[i];
      if (end + TAG_BYTES > buffer.length) throw new RangeError("no room for the tag");
      this.#setNonce(batch.packetNumber[i]);
      const cipher = createCipheriv(CIPHER, key.key, this.#nonce, OPTIONS);
      cipher.setAAD(associatedData(key, buffer, start, batch.aadLength[i]));
      buffer.set(cipher.update(buffer.subarray(body, end)), body);
      cipher.final();
      buffer.set(cipher.getAuthTag(), end);
      batch.length[i] = end + TAG_BYTES - start;
      batch.key[i] = NO_KEY;
    }
  }

  open(batch: PacketBatch): void {
    const { buffer } = batch;
    for (let i = 0; i < batch.count; i += 1) {
      const handle = batch.key[i];
      if (handle === NO_KEY) continue;
      const key = this.#keys[handle];
      const start = batch.offset[i];
      const body = start + batch.headerLength[i];
      const tag = start + batch.length[i] - TAG_BYTES;
      if (key === undefined || tag < body) continue;
      this.#setNonce(batch.packetNumber[i]);
      const decipher = createDecipheriv(CIPHER, key.key, this.#nonce, OPTIONS);
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

  /** netcode 1.02, "Encrypted Packets": four zero bytes, then the sequence number little-endian. */
  #setNonce(packetNumber: number): void {
    this.#nonceView.setUint32(4, packetNumber, true);
    this.#nonceView.setUint32(8, packetNumber / 0x1_0000_0000, true);
  }
}

function associatedData(key: Key, buffer: Uint8Array, start: number, length: number): Uint8Array {
  const total = key.prefixLength + length;
  if (length > MAX_HEADER_AAD) throw new RangeError(`aadLength must be at most ${MAX_HEADER_AAD}, not ${length}`);
  if (key.aadView.length !== total) key.aadView = key.aad.subarray(0, total);
  for (let i = 0; i < length; i += 1) key.aad[key.prefixLength + i] = buffer[start + i];
  return key.aadView;
}
