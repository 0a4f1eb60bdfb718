/** Writes small MMDB files (MaxMind DB format 2.0) for tests: by the specification, not by what our reader does. */
import { IpAddress } from "../src/geoip/ip-address.ts";

/** A number is written as a double (or float), a bigint as an unsigned integer of 16, 32 or 64 bits. */
export type MmdbValue =
  | string
  | number
  | bigint
  | boolean
  | readonly MmdbValue[]
  | { readonly [key: string]: MmdbValue };

export interface MmdbOptions {
  /** A prefix inside another must come after it. */
  readonly networks: readonly (readonly [prefix: string, record: MmdbValue])[];
  /** Default 4. */
  readonly ipVersion?: 4 | 6;
  /** Default 28. */
  readonly recordBits?: 24 | 28 | 32;
  readonly databaseType?: string;
  /** In seconds. Default 1.75e9. */
  readonly buildEpoch?: number;
  /** Default false: doubles. */
  readonly floats?: boolean;
  /** Default true: a text that has been written before is pointed to. */
  readonly pointers?: boolean;
}

/** An inner node, a record's offset in the data section, or nothing. */
type Tree = [Tree, Tree] | number | undefined;

export function writeMmdb(options: MmdbOptions): Buffer {
  const { networks, ipVersion = 4, recordBits = 28, databaseType = "test city", buildEpoch = 1.75e9 } = options;
  const data = new DataSection(options);
  let tree: Tree = [undefined, undefined];
  const address = new IpAddress();
  for (const [prefix, record] of networks) {
    const length = address.parsePrefix(prefix);
    const path = Array.from({ length }, (_, i) => address.bit(i));
    if (address.version === 4 && ipVersion === 6) path.unshift(...Array<number>(96).fill(0));
    tree = insert(tree, path, data.record(record)) as [Tree, Tree];
  }
  const nodes: [Tree, Tree][] = [];
  const numbers = new Map<Tree, number>();
  const number = (node: Tree): void => {
    if (!Array.isArray(node)) return;
    numbers.set(node, nodes.push(node) - 1);
    node.forEach(number);
  };
  number(tree);
  const valueOf = (child: Tree): number =>
    child === undefined ? nodes.length : typeof child === "number" ? nodes.length + 16 + child : numbers.get(child)!;
  const metadata = new DataSection({ pointers: false });
  metadata.record({
    binary_format_major_version: 2n,
    binary_format_minor_version: 0n,
    build_epoch: BigInt(buildEpoch),
    database_type: databaseType,
    description: {},
    ip_version: BigInt(ipVersion),
    languages: [],
    node_count: BigInt(nodes.length),
    record_size: BigInt(recordBits),
  });
  return Buffer.concat([
    ...nodes.map(([left, right]) => nodeBytes(recordBits, valueOf(left), valueOf(right))),
    Buffer.alloc(16),
    data.bytes,
    Buffer.from("\xab\xcd\xefMaxMind.com", "latin1"),
    metadata.bytes,
  ]);
}

function insert(tree: Tree, path: readonly number[], record: number): Tree {
  if (path.length === 0) return record;
  const [bit, ...rest] = path;
  const node: [Tree, Tree] = Array.isArray(tree) ? tree : [tree, tree];
  node[bit] = insert(node[bit], rest, record);
  return node;
}

function nodeBytes(recordBits: number, left: number, right: number): Buffer {
  const bits = (BigInt(left) << BigInt(recordBits)) | BigInt(right);
  const bytes = Buffer.from(bits.toString(16).padStart(recordBits / 2, "0"), "hex");
  if (recordBits !== 28) return bytes;
  // The middle byte holds the highest four bits of both.
  return Buffer.from([...be(left, 4).subarray(1), ((left >>> 24) << 4) | (right >>> 24), ...be(right, 4).subarray(1)]);
}

class DataSection {
  readonly #floats: boolean;
  readonly #pointers: boolean;
  readonly #texts: Map<string, number> = new Map();
  #parts: Buffer[] = [];
  #length = 0;

  constructor({ floats = false, pointers = true }: Pick<MmdbOptions, "floats" | "pointers">) {
    this.#floats = floats;
    this.#pointers = pointers;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  record(value: MmdbValue): number {
    const at = this.#length;
    this.#write(value);
    return at;
  }

  #write(value: MmdbValue): void {
    if (typeof value === "string") this.#writeText(value);
    else if (typeof value === "boolean") this.#put(header(14, value ? 1 : 0));
    else if (typeof value === "bigint") this.#writeUint(value);
    else if (typeof value === "number") this.#writeReal(value);
    else if (Array.isArray(value)) {
      this.#put(header(11, value.length));
      for (const item of value as readonly MmdbValue[]) this.#write(item);
    } else {
      const entries = Object.entries(value);
      this.#put(header(7, entries.length));
      for (const [key, item] of entries) {
        this.#writeText(key);
        this.#write(item);
      }
    }
  }

  #writeText(text: string): void {
    const known = this.#texts.get(text);
    if (known !== undefined && this.#pointers) {
      this.#put(pointer(known));
      return;
    }
    this.#texts.set(text, this.#length);
    const bytes = Buffer.from(text);
    this.#put(header(2, bytes.length), bytes);
  }

  #writeUint(value: bigint): void {
    const hex = value === 0n ? "" : value.toString(16);
    const bytes = Buffer.from(hex.padStart(Math.ceil(hex.length / 2) * 2, "0"), "hex");
    this.#put(header(bytes.length <= 2 ? 5 : bytes.length <= 4 ? 6 : 9, bytes.length), bytes);
  }

  #writeReal(value: number): void {
    const bytes = Buffer.alloc(this.#floats ? 4 : 8);
    if (this.#floats) bytes.writeFloatBE(value);
    else bytes.writeDoubleBE(value);
    this.#put(header(this.#floats ? 15 : 3, bytes.length), bytes);
  }

  #put(...parts: Buffer[]): void {
    for (const part of parts) {
      this.#parts.push(part);
      this.#length += part.length;
    }
  }
}

function header(type: number, size: number): Buffer {
  const [short, more] =
    size < 29
      ? [size, Buffer.alloc(0)]
      : size < 285
        ? [29, be(size - 29, 1)]
        : size < 65_821
          ? [30, be(size - 285, 2)]
          : [31, be(size - 65_821, 3)];
  const control = type < 8 ? [(type << 5) | short] : [short, type - 7];
  return Buffer.concat([Buffer.from(control), more]);
}

function pointer(offset: number): Buffer {
  if (offset < 2048) return Buffer.from([pointerControl(0, offset >>> 8), offset & 255]);
  if (offset < 526_336) {
    const value = offset - 2048;
    return Buffer.concat([Buffer.from([pointerControl(1, value >>> 16)]), be(value & 0xffff, 2)]);
  }
  const value = offset - 526_336;
  return Buffer.concat([Buffer.from([pointerControl(2, value >>> 24)]), be(value & 0xffffff, 3)]);
}

function pointerControl(size: number, high: number): number {
  return (1 << 5) | (size << 3) | high;
}

function be(value: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(value, 0, length);
  return bytes;
}
