/**
 * The keys of one session, by handle. netcode seals with ChaCha20-Poly1305; where both sides have instructions for AES
 * they agree to seal payloads with AES-256-GCM, under keys made of netcode's. Packets of either kind may cross on the
 * way, so they have types of their own, and a side that offers AES takes both from the start.
 */
import { NO_KEY } from "../machine.ts";
import type { Crypto, KeyStore } from "../machine.ts";
import { isAesType, KEY_BYTES, PACKET_PAYLOAD, PACKET_PAYLOAD_AES, TAG_BYTES } from "./constants.ts";

export interface SessionKeysOptions {
  /** 32 bytes each. */
  readonly sendKey: Uint8Array;
  readonly receiveKey: Uint8Array;
  readonly associatedData: Uint8Array;
  readonly store: KeyStore;
  readonly crypto: Crypto;
  /** This side takes payloads under AES. */
  readonly aes: boolean;
}

export class SessionKeys {
  readonly send: number;
  readonly receive: number;
  readonly #aesSend: number = NO_KEY;
  readonly #aesReceive: number = NO_KEY;
  readonly #store: KeyStore;
  #sendsAes = false;

  constructor(options: SessionKeysOptions) {
    const { sendKey, receiveKey, associatedData, store, crypto } = options;
    this.#store = store;
    this.send = store.addKey(sendKey, associatedData);
    this.receive = store.addKey(receiveKey, associatedData);
    if (!options.aes) return;
    const cipher = { cipher: "aes-256-gcm" } as const;
    this.#aesSend = store.addKey(aesKeyOf(sendKey, crypto), associatedData, cipher);
    this.#aesReceive = store.addKey(aesKeyOf(receiveKey, crypto), associatedData, cipher);
  }

  /** The peer takes AES too: payloads go under it from now on. */
  sendAes(): void {
    this.#sendsAes = this.#aesSend !== NO_KEY;
  }

  /** What payloads are sealed with. */
  get payload(): number {
    return this.#sendsAes ? this.#aesSend : this.send;
  }

  /** The type of a payload packet without a session's id. */
  get payloadType(): number {
    return this.#sendsAes ? PACKET_PAYLOAD_AES : PACKET_PAYLOAD;
  }

  /** What opens a packet of this type; `NO_KEY` where we never said that we take it. */
  receiveOf(type: number): number {
    return isAesType(type) ? this.#aesReceive : this.receive;
  }

  /** Every handle that opens packets. */
  get receiving(): readonly number[] {
    return this.#aesReceive === NO_KEY ? [this.receive] : [this.receive, this.#aesReceive];
  }

  /** No packet that comes is opened any more. */
  releaseReceiving(): void {
    for (const handle of this.receiving) this.#store.releaseKey(handle);
  }

  /** Nothing is sent any more. */
  releaseSending(): void {
    this.#store.releaseKey(this.send);
    if (this.#aesSend !== NO_KEY) this.#store.releaseKey(this.#aesSend);
  }
}

/**
 * The key for AES of a direction: ChaCha20's stream of netcode's key under a nonce of 12 bytes 0xff, which no packet
 * has (theirs start with four zero bytes).
 */
export function aesKeyOf(key: Uint8Array, crypto: Crypto): Uint8Array {
  const stream = new Uint8Array(KEY_BYTES + TAG_BYTES);
  crypto.chacha20Poly1305.seal(key, new Uint8Array(12).fill(0xff), new Uint8Array(0), stream, 0, KEY_BYTES);
  return stream.subarray(0, KEY_BYTES);
}
