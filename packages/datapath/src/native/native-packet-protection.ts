import { CIPHER_NAMES, checkKey } from "../ciphers.ts";
import type { KeyOptions, PacketProtection } from "../datapath.ts";
import type { PacketBatch } from "../packet-batch.ts";
import type { NativeAddon, NativeProtection } from "./addon.ts";

/** Packet protection by OpenSSL's cached contexts: one call for a whole batch. */
export class NativePacketProtection implements PacketProtection {
  readonly #native: NativeProtection;

  constructor(addon: NativeAddon) {
    this.#native = new addon.PacketProtection();
  }

  get keyCount(): number {
    return this.#native.keyCount;
  }

  addKey(key: Uint8Array, aadPrefix: Uint8Array, options: KeyOptions = {}): number {
    const cipher = CIPHER_NAMES.indexOf(checkKey(key, aadPrefix, options));
    return this.#native.addKey(key, aadPrefix, cipher, options.iv, options.headerProtectionKey);
  }

  releaseKey(handle: number): void {
    this.#native.releaseKey(handle);
  }

  seal(batch: PacketBatch): void {
    this.#native.seal(batch.buffer, batch.descriptors, batch.count);
  }

  unprotect(batch: PacketBatch): void {
    this.#native.unprotect(batch.buffer, batch.descriptors, batch.count);
  }

  open(batch: PacketBatch): void {
    this.#native.open(batch.buffer, batch.descriptors, batch.count);
  }
}
