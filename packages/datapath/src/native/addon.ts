/** The compiled half, as native/*_class.cc exports it, and how it is found. */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { AddressTable } from "../datapath.ts";

export interface NativeAddon {
  readonly AddressTable: new (capacity: number) => AddressTable;
  readonly PacketProtection: new () => NativeProtection;
  readonly UdpSocket: new () => NativeSocket;
  /** What is wrong with this Node's libuv; undefined when nothing is. */
  pollSelfTest(): string | undefined;
  /** True where the processor computes AES and GHASH itself. */
  hasAes(): boolean;
}

export interface NativeProtection {
  readonly keyCount: number;
  /** `cipher` is an index of `CIPHER_NAMES`. */
  addKey(
    key: Uint8Array,
    aadPrefix: Uint8Array,
    cipher: number,
    iv: Uint8Array | undefined,
    headerProtectionKey: Uint8Array | undefined,
  ): number;
  releaseKey(handle: number): void;
  seal(buffer: Uint8Array, descriptors: ArrayBuffer, count: number): void;
  unprotect(buffer: Uint8Array, descriptors: ArrayBuffer, count: number): void;
  open(buffer: Uint8Array, descriptors: ArrayBuffer, count: number): void;
}

export interface NativeSocket {
  readonly address: string;
  readonly port: number;
  readonly gso: boolean;
  readonly gro: boolean;
  readonly ecn: boolean;
  readonly localAddress: boolean;
  readonly dontFragment: boolean;
  readonly receiveBufferBytes: number;
  readonly sendBufferBytes: number;
  /** 0 or a negative errno. `callback` is called with uv_poll's events: 1 readable, 2 writable. */
  bind(
    addresses: AddressTable,
    callback: (events: number) => void,
    host: string,
    port: number,
    reusePort: boolean,
    bufferBytes: number,
  ): number;
  close(): void;
  receive(buffer: Uint8Array, descriptors: ArrayBuffer, slotBytes: number): number;
  /** The index of the first packet that waits for room in the kernel's queue, else `count`. */
  send(buffer: Uint8Array, descriptors: ArrayBuffer, count: number, from: number): number;
  /** Packets the kernel took in the last `send`. */
  lastSent(): number;
  enableGro(): boolean;
  count(counter: number): number;
}

/** Loads build/Release or the prebuild for this platform; throws where there is neither. */
export function loadAddon(): NativeAddon {
  const require = createRequire(import.meta.url);
  const load = require("node-gyp-build") as (folder: string) => NativeAddon;
  return load(fileURLToPath(new URL("../..", import.meta.url)));
}
