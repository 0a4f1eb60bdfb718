/**
 * Reads single values out of the records of an MMDB file, by the format's specification, without decoding the rest. Damaged
 * records give nothing; they never throw, and a read looks at no more than `MAX_VALUES` values.
 */

/** A key of the maps of one file, as bytes. */
export class MmdbKey {
  readonly bytes: Uint8Array;
  /** Where it was found last: mostly all maps point to the same text. */
  seenAt = -1;

  constructor(text: string) {
    this.bytes = Buffer.from(text);
  }
}

export class MmdbRecords {
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #end: number;
  /** Of the value that was looked at last: its size (a pointer's: what it points to), and where its content begins. */
  #size = 0;
  #at = 0;
  /** Where the next value begins; after a map or an array, its first. */
  #next = 0;
  #budget = 0;

  /** `start` is where the data section begins, which pointers count from; `end` where it ends. */
  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  /** Looks up `keys` in the map at `offset`: where their values lie goes to `found`, -1: there is none. False: damaged, or no map. */
  findKeys(offset: number, keys: readonly MmdbKey[], found: Int32Array): boolean {
    found.fill(-1);
    this.#budget = MAX_VALUES;
    if (this.#read(offset) !== MAP) return false;
    const size = this.#size;
    let at = this.#at;
    let missing = keys.length;
    for (let i = 0; i < size && missing > 0; i++) {
      if (this.#read(at) !== STRING) return false;
      at = this.#next;
      for (let k = 0; k < keys.length; k++) {
        if (found[k] >= 0 || !this.#isKey(keys[k])) continue;
        found[k] = at;
        missing--;
        break;
      }
      at = this.#skip(at);
      if (at < 0) return false;
    }
    return true;
  }

  /** NaN: it is not a number. */
  number(offset: number): number {
    const type = this.#read(offset);
    const at = this.#at;
    const size = this.#size;
    const bytes = this.#bytes;
    if (type === DOUBLE && size === 8) return bytes.readDoubleBE(at);
    if (type === FLOAT && size === 4) return bytes.readFloatBE(at);
    if (type === INT32 && size === 4) return bytes.readInt32BE(at);
    if ((type !== UINT16 && type !== UINT32 && type !== INT32) || size > 4) return Number.NaN;
    return size === 0 ? 0 : bytes.readUIntBE(at, size);
  }

  /** Two capital letters as one number; 0: it is something else. */
  countryCode(offset: number): number {
    if (this.#read(offset) !== STRING || this.#size !== 2) return 0;
    const first = this.#bytes[this.#at];
    const second = this.#bytes[this.#at + 1];
    return isCapital(first) && isCapital(second) ? first * 256 + second : 0;
  }

  /** Whether it is a text, a map or an array with something in it. */
  isFilled(offset: number): boolean {
    const type = this.#read(offset);
    return (type === STRING || type === MAP || type === ARRAY) && this.#size > 0;
  }

  #isKey(key: MmdbKey): boolean {
    if (key.seenAt === this.#at) return true;
    const { bytes } = key;
    if (this.#size !== bytes.length) return false;
    for (let i = 0; i < bytes.length; i++) if (this.#bytes[this.#at + i] !== bytes[i]) return false;
    key.seenAt = this.#at;
    return true;
  }

  /** Where the value after the one at `offset` begins; -1: damaged. */
  #skip(offset: number): number {
    let at = offset;
    for (let left = 1; left > 0; left--) {
      const type = this.#budget-- > 0 ? this.#readHeader(at) : NOTHING;
      if (type === NOTHING) return -1;
      at = this.#next;
      // The values of a map and an array follow at once; each is skipped by itself.
      if (type === MAP) left += this.#size * 2;
      else if (type === ARRAY) left += this.#size;
    }
    return at;
  }

  /** Looks at the value at `offset`, or at the one it points to. Returns its type. */
  #read(offset: number): number {
    const type = this.#readHeader(offset);
    if (type !== POINTER) return type;
    const next = this.#next;
    const target = this.#readHeader(this.#start + this.#size);
    this.#next = next;
    // A pointer never points to a pointer.
    return target === POINTER ? NOTHING : target;
  }

  #readHeader(offset: number): number {
    const bytes = this.#bytes;
    // A header has up to 5 bytes, and the metadata behind the records more.
    if (offset < this.#start || offset >= this.#end) return NOTHING;
    const control = bytes[offset];
    let at = offset + 1;
    let type = control >>> 5;
    let size = control & 31;
    if (type === POINTER) {
      const length = (size >>> 3) + 1;
      let value = length === 4 ? 0 : size & 7;
      for (let i = 0; i < length; i++) value = value * 256 + bytes[at + i];
      this.#size = value + POINTER_BASE[length - 1];
      this.#next = at + length;
      return POINTER;
    }
    if (type === EXTENDED) {
      type = 7 + bytes[at++];
      if (type < INT32 || type > FLOAT) return NOTHING;
    }
    if (size > 28) {
      const length = size - 28;
      size = SIZE_BASE[length];
      let more = 0;
      for (let i = 0; i < length; i++) more = more * 256 + bytes[at + i];
      size += more;
      at += length;
    }
    this.#size = size;
    this.#at = at;
    this.#next = type === MAP || type === ARRAY || type === BOOLEAN ? at : at + size;
    return this.#next <= this.#end ? type : NOTHING;
  }
}

/** Values that one search looks at; a city of GeoIP2 in eight languages has some 80. */
const MAX_VALUES = 1024;

/** Types of values, by their numbers in the format; nothing has the type 0. */
const NOTHING = 0;
const EXTENDED = 0;
const POINTER = 1;
const STRING = 2;
const DOUBLE = 3;
const UINT16 = 5;
const UINT32 = 6;
const MAP = 7;
const INT32 = 8;
const ARRAY = 11;
const BOOLEAN = 14;
const FLOAT = 15;
const POINTER_BASE = [0, 2048, 526_336, 0];
const SIZE_BASE = [0, 29, 285, 65_821];

function isCapital(byte: number): boolean {
  return byte >= 65 && byte <= 90;
}
