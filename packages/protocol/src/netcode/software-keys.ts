/**
 * A KeyStore over the injected crypto that seals and opens one packet at a time: for browsers, tests
 * and tools. Servers use the batch interface of `datapath`.
 */
import { NO_KEY } from "../machine.ts";
import type { Aead, Crypto, KeyOptions, KeyStore, ReceivedPacket, TransmitSlot } from "../machine.ts";
import { TAG_BYTES } from "./constants.ts";
import { writePacketNonce } from "./packet-protection.ts";

interface Key {
  readonly aead: Aead;
  readonly key: Uint8Array;
  readonly prefix: Uint8Array;
}

export class SoftwareKeys implements KeyStore {
  readonly #crypto: Crypto;
  readonly #keys: (Key | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #nonce: Uint8Array = new Uint8Array(12);

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  /** Keys in use. */
  get size(): number {
    return this.#keys.length - this.#free.length;
  }

  get prefersAes(): boolean {
    return this.#crypto.aes256Gcm !== undefined;
  }

  addKey(key: Uint8Array, aadPrefix: Uint8Array, options: KeyOptions = {}): number {
    const aead = options.cipher === "aes-256-gcm" ? this.#crypto.aes256Gcm : this.#crypto.chacha20Poly1305;
    if (aead === undefined) throw new RangeError("this crypto has no AES-256-GCM");
    const handle = this.#free.pop() ?? this.#keys.length;
    this.#keys[handle] = { aead, key: key.slice(), prefix: aadPrefix.slice() };
    return handle;
  }

  releaseKey(handle: number): void {
    const entry = this.#keys[handle];
    if (entry === undefined) return;
    entry.key.fill(0);
    this.#keys[handle] = undefined;
    this.#free.push(handle);
  }

  /** Seals what `pollTransmit` wrote, in place; `length` then counts the tag. */
  seal(slot: TransmitSlot): void {
    if (slot.key === NO_KEY) return;
    const entry = this.#keys[slot.key];
    if (entry === undefined) throw new RangeError(`no key has the handle ${slot.key}`);
    const aad = this.#aad(entry, slot.buffer, slot.offset, slot.aadLength, slot.packetNumber);
    const at = slot.offset + slot.headerLength;
    const length = slot.length - slot.headerLength;
    entry.aead.seal(entry.key, this.#nonce, aad, slot.buffer, at, length);
    slot.length += TAG_BYTES;
  }

  /** Opens a classified packet in place and sets `opened`; `length` then no longer counts the tag. */
  open(packet: ReceivedPacket): void {
    packet.opened = false;
    const entry = packet.key === NO_KEY ? undefined : this.#keys[packet.key];
    const length = packet.length - packet.headerLength;
    if (entry === undefined || length < TAG_BYTES) return;
    const aad = this.#aad(entry, packet.buffer, packet.offset, packet.aadLength, packet.packetNumber);
    const at = packet.offset + packet.headerLength;
    if (!entry.aead.open(entry.key, this.#nonce, aad, packet.buffer, at, length)) return;
    packet.opened = true;
    packet.length -= TAG_BYTES;
  }

  #aad(entry: Key, buffer: Uint8Array, offset: number, length: number, packetNumber: number): Uint8Array {
    writePacketNonce(this.#nonce, Math.floor(packetNumber / 0x1_0000_0000), packetNumber >>> 0);
    const aad = new Uint8Array(entry.prefix.length + length);
    aad.set(entry.prefix);
    for (let i = 0; i < length; i++) aad[entry.prefix.length + i] = buffer[offset + i];
    return aad;
  }
}
