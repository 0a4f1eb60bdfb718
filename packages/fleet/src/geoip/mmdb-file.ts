/**
 * The search tree of an MMDB file (MaxMind DB format 2.0), over the bytes of the file. `maxmind` reads the metadata; the walk is
 * our own: it takes bits instead of text, begins 16 bits down by an index, and decodes nothing, so it is several times as fast.
 * Whatever the bytes are, a walk ends after as many steps as an address has bits and gives an offset inside of the records.
 */
import { Reader } from "maxmind";
import type { Response } from "maxmind";
import { GeoIpError } from "./geo-ip-error.ts";
import type { IpAddress } from "./ip-address.ts";

export class MmdbFile {
  readonly bytes: Buffer;
  /** Another reader of the same bytes, to compare with. */
  readonly reference: Reader<Response>;
  readonly databaseType: string;
  readonly ipVersion: 4 | 6;
  /** In seconds since 1970. */
  readonly buildEpoch: number;
  /** Records lie from here to there. */
  readonly recordsStart: number;
  readonly recordsEnd: number;
  readonly #nodeCount: number;
  readonly #nodeBytes: number;
  /** 24, 28 or 32; a node has two records. */
  readonly #recordBits: number;
  readonly #v4Index: Uint32Array | undefined;
  readonly #v6Index: Uint32Array | undefined;

  /** Keeps `bytes`. Throws `GeoIpError` when they are no MMDB file. */
  constructor(bytes: Buffer) {
    const metadataStart = bytes.lastIndexOf(METADATA_MARKER);
    // Reader would look for it in the whole file, byte by byte.
    if (metadataStart < Math.max(0, bytes.length - METADATA_BYTES)) throw notMmdb("no metadata at its end");
    const reader = readerOf(bytes);
    const { metadata } = reader;
    this.bytes = bytes;
    this.reference = reader;
    this.databaseType = metadata.databaseType;
    this.ipVersion = metadata.ipVersion === 6 ? 6 : 4;
    this.buildEpoch = metadata.buildEpoch.getTime() / 1000;
    this.recordsStart = metadata.searchTreeSize + SEPARATOR_BYTES;
    this.recordsEnd = metadataStart;
    this.#nodeCount = metadata.nodeCount;
    this.#nodeBytes = metadata.nodeByteSize;
    this.#recordBits = metadata.recordSize;
    if (this.recordsStart > this.recordsEnd) throw notMmdb("it is cut short");
    if (this.ipVersion === 6) this.#v6Index = this.#index(0);
    const v4Start = this.#v4Start();
    if (v4Start < this.#nodeCount) this.#v4Index = this.#index(v4Start);
  }

  get holdsV4(): boolean {
    return this.#v4Index !== undefined;
  }

  /** Where the record of an address lies in `bytes`; -1: there is none. */
  find(address: IpAddress): number {
    const index = address.version === 4 ? this.#v4Index : this.#v6Index;
    if (index === undefined) return -1;
    const { words } = address;
    const nodeCount = this.#nodeCount;
    let node = index[words[0] >>> (32 - INDEX_BITS)];
    const bits = address.version === 4 ? 32 : 128;
    for (let i = INDEX_BITS; node < nodeCount && i < bits; i++)
      node = this.#child(node, (words[i >>> 5] >>> (31 - (i & 31))) & 1);
    if (node <= nodeCount) return -1;
    const offset = node - nodeCount - SEPARATOR_BYTES + this.recordsStart;
    return offset >= this.recordsStart && offset < this.recordsEnd ? offset : -1;
  }

  /** Calls `visit` with the record's offset and the number of bits of each network of IPv4 that has one. */
  forEachV4(visit: (offset: number, length: number) => void): void {
    const waiting: [node: number, depth: number][] = [[this.#v4Start(), 0]];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [node, depth] = next;
      if (node > this.#nodeCount) visit(node - this.#nodeCount - SEPARATOR_BYTES + this.recordsStart, depth);
      else if (node < this.#nodeCount && depth < 32)
        waiting.push([this.#child(node, 0), depth + 1], [this.#child(node, 1), depth + 1]);
    }
  }

  /** The node below `node`; from `nodeCount` on it is none, but a record or nothing. */
  #child(node: number, bit: number): number {
    const { bytes } = this;
    const at = node * this.#nodeBytes;
    if (this.#recordBits === 28) {
      return bit === 0
        ? ((bytes[at + 3] & 0xf0) << 20) | (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2]
        : ((bytes[at + 3] & 0x0f) << 24) | (bytes[at + 4] << 16) | (bytes[at + 5] << 8) | bytes[at + 6];
    }
    if (this.#recordBits === 24) {
      const start = at + bit * 3;
      return (bytes[start] << 16) | (bytes[start + 1] << 8) | bytes[start + 2];
    }
    const start = at + bit * 4;
    return ((bytes[start] << 24) | (bytes[start + 1] << 16) | (bytes[start + 2] << 8) | bytes[start + 3]) >>> 0;
  }

  /** A tree of IPv6 has IPv4 below ::/96. */
  #v4Start(): number {
    let node = 0;
    if (this.ipVersion === 6) for (let i = 0; i < 96 && node < this.#nodeCount; i++) node = this.#child(node, 0);
    return node;
  }

  /** Where each value of the first bits below `root` leads to. */
  #index(root: number): Uint32Array {
    const index = new Uint32Array(2 ** INDEX_BITS);
    const descend = (node: number, prefix: number, depth: number): void => {
      const width = 2 ** (INDEX_BITS - depth);
      if (node >= this.#nodeCount || depth === INDEX_BITS) {
        index.fill(node, prefix, prefix + width);
        return;
      }
      descend(this.#child(node, 0), prefix, depth + 1);
      descend(this.#child(node, 1), prefix + width / 2, depth + 1);
    };
    descend(root, 0, 0);
    return index;
  }
}

const METADATA_MARKER = Buffer.from("\xab\xcd\xefMaxMind.com", "latin1");
const METADATA_BYTES = 128 * 1024;
const SEPARATOR_BYTES = 16;
const INDEX_BITS = 16;

function readerOf(bytes: Buffer): Reader<Response> {
  let reader: Reader<Response>;
  try {
    reader = new Reader(bytes);
  } catch (cause) {
    throw notMmdb("its metadata cannot be read", cause);
  }
  const problem = problemWith(reader.metadata);
  if (problem !== undefined) throw notMmdb(problem);
  return reader;
}

function problemWith(metadata: Reader<Response>["metadata"]): string | undefined {
  const { binaryFormatMajorVersion: version, ipVersion, nodeCount, databaseType, buildEpoch } = metadata;
  if (version !== 2) return `its format has version ${version}`;
  if (ipVersion !== 4 && ipVersion !== 6) return `its IP version is ${String(ipVersion)}`;
  if (!Number.isSafeInteger(nodeCount) || nodeCount < 1) return `it has ${nodeCount} nodes`;
  if (typeof databaseType !== "string") return "it does not say its type";
  if (Number.isNaN(buildEpoch.getTime())) return "it does not say when it was built";
}

function notMmdb(why: string, cause?: unknown): GeoIpError {
  return new GeoIpError("format", `not an MMDB file: ${why}`, { cause });
}
