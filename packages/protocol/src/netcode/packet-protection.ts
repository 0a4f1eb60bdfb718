/**
 * Seals and opens handshake packets with the injected crypto. Packets of a connection go through
 * the driver's KeyStore instead; both use the same associated data and nonce.
 */
import type { Crypto } from "../machine.ts";
import { NETCODE_VERSION_INFO } from "./constants.ts";

/** Associated data that is not in the packet: version info, then the protocol id. */
export function protocolAssociatedData(protocolId: bigint): Uint8Array {
  const prefix = new Uint8Array(21);
  prefix.set(NETCODE_VERSION_INFO);
  new DataView(prefix.buffer).setBigUint64(13, protocolId, true);
  return prefix;
}

/** Four zero bytes, then the sequence number little-endian. */
export function writePacketNonce(nonce: Uint8Array, high: number, low: number): void {
  for (let i = 0; i < 4; i++) {
    nonce[i] = 0;
    nonce[4 + i] = low >>> (8 * i);
    nonce[8 + i] = high >>> (8 * i);
  }
}

/** Packet protection under one protocol id. */
export class PacketProtection {
  readonly #crypto: Crypto;
  readonly #aad: Uint8Array = new Uint8Array(22);
  readonly #nonce: Uint8Array = new Uint8Array(12);

  constructor(crypto: Crypto, associatedData: Uint8Array) {
    this.#crypto = crypto;
    this.#aad.set(associatedData);
  }

  /** Seals the `length` bytes behind the header in place; the tag goes behind them. */
  seal(
    key: Uint8Array,
    high: number,
    low: number,
    buffer: Uint8Array,
    offset: number,
    headerLength: number,
    length: number,
  ): void {
    this.#aad[21] = buffer[offset];
    writePacketNonce(this.#nonce, high, low);
    this.#crypto.chacha20Poly1305.seal(key, this.#nonce, this.#aad, buffer, offset + headerLength, length);
  }

  /** Opens in place; `length` counts what is behind the header, the tag included. */
  open(
    key: Uint8Array,
    high: number,
    low: number,
    buffer: Uint8Array,
    offset: number,
    headerLength: number,
    length: number,
  ): boolean {
    this.#aad[21] = buffer[offset];
    writePacketNonce(this.#nonce, high, low);
    return this.#crypto.chacha20Poly1305.open(key, this.#nonce, this.#aad, buffer, offset + headerLength, length);
  }
}
