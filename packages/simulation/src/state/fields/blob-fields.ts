import type { RowColumn } from "./column-plan.ts";
import { decodeUtf8, encodeUtf8 } from "@riposte/wire";
import { defineColumnAccessor, fieldAttributes } from "./field.ts";
import type { Column, Field, FieldOptions, Leaf, RecordMemory, RowPrototype } from "./field.ts";

/** Short strings and byte arrays. In a record: one word of length in bytes, then the bytes, four to a word. */

export interface BlobOptions extends FieldOptions {
  /** 1 to 1,024. What is longer is cut when it settles (text between characters). */
  readonly maxBytes: number;
}

/** A short string, bounded by its length in UTF-8. */
export function text(options: BlobOptions): Field<string, string, readonly string[]> {
  return blobField("text", options, (slots, leaf, memory) => new TextColumn(slots, leaf, memory));
}

/** A short byte array. Assigning copies; reading gives a view that is valid until the next assignment. */
export function bytes(options: BlobOptions): Field<Uint8Array, Uint8Array, readonly Uint8Array[]> {
  return blobField("bytes", options, (slots, leaf, memory) => new BytesColumn(slots, leaf, memory));
}

function blobField<Value>(
  kind: "text" | "bytes",
  options: BlobOptions,
  createColumn: (slots: number, leaf: Leaf, memory: RecordMemory) => Column<Value, Value, readonly Value[]>,
): Field<Value, Value, readonly Value[]> {
  const { maxBytes } = options;
  const leaf = blobLeaf(kind, maxBytes);
  return {
    kind,
    attributes: fieldAttributes(options, "step"),
    wordCount: leaf.wordCount,
    leaves: [leaf],
    signature: `${kind} ${maxBytes}`,
    writeInitial: (words, at) => void words.fill(0, at, at + leaf.wordCount),
    createColumn: (slots, memory) => createColumn(slots, leaf, memory),
  };
}

function blobLeaf(kind: "text" | "bytes", maxBytes: number): Leaf {
  if (!Number.isInteger(maxBytes) || maxBytes < 1 || maxBytes > 1024) {
    throw new RangeError(`${kind}: maxBytes ${maxBytes} must be 1 to 1024`);
  }
  return {
    type: "blob",
    word: 0,
    wordCount: 1 + Math.ceil(maxBytes / 4),
    bits: 32 - Math.clz32(maxBytes),
    max: maxBytes,
    step: 1,
    origin: 0,
    text: kind === "text",
    element: [],
    elementWords: 0,
  };
}

const EMPTY = new Uint8Array(0);
const SCRATCH = new Uint8Array(1028);

class TextColumn implements Column<string, string, readonly string[]>, RowColumn {
  readonly storage: string[];
  /** What the words hold, so that an unchanged string costs one comparison. */
  readonly #settled: string[];
  /** What `blend` made last and from which words: the next frame most likely shows the same. */
  readonly #blended: string[];
  #blendedWords: Int32Array | undefined;
  readonly #leaf: Leaf;
  readonly #memory: RecordMemory;

  constructor(slots: number, leaf: Leaf, memory: RecordMemory) {
    this.storage = Array.from({ length: slots }, () => "");
    this.#settled = Array.from({ length: slots }, () => "");
    this.#blended = Array.from({ length: slots }, () => "");
    this.#leaf = leaf;
    this.#memory = memory;
    memory.plan.addOther(this);
  }

  get(slot: number): string {
    return this.storage[slot];
  }

  copy(slot: number): string {
    return this.get(slot);
  }

  set(slot: number, value: string): void {
    this.storage[slot] = value;
  }

  settle(slot: number): void {
    const { words, stride, word } = this.#memory;
    const value = this.storage[slot];
    if (value === this.#settled[slot]) return;
    const end = encodeUtf8(cut(value, this.#leaf.max), SCRATCH, 0);
    packBytes(SCRATCH, end, words, slot * stride + word, this.#leaf.wordCount);
    this.storage[slot] = this.#settled[slot] = decodeUtf8(SCRATCH, 0, end) ?? "";
  }

  load(slot: number): void {
    const { words, stride, word } = this.#memory;
    this.#settled[slot] = this.storage[slot] = textOf(words, slot * stride + word);
  }

  blend(slot: number, from: Int32Array, fromAt: number, to: Int32Array, toAt: number, fraction: number): void {
    const words = fraction < 1 ? from : to;
    const at = (fraction < 1 ? fromAt : toAt) + this.#memory.word;
    const { wordCount } = this.#leaf;
    const known = (this.#blendedWords ??= new Int32Array(this.storage.length * wordCount));
    const place = slot * wordCount;
    let same = true;
    for (let i = 0; i < wordCount && same; i++) same = known[place + i] === words[at + i];
    if (!same) {
      for (let i = 0; i < wordCount; i++) known[place + i] = words[at + i];
      this.#blended[slot] = textOf(words, at);
    }
    this.storage[slot] = this.#blended[slot];
  }

  jumps(): boolean {
    return false;
  }

  defineAccessor(prototype: RowPrototype, name: string): void {
    const storage = this.storage;
    Object.defineProperty(prototype, name, {
      enumerable: true,
      get(this: RowPrototype): string {
        return storage[this.index];
      },
      set(this: RowPrototype, value: string): void {
        storage[this.index] = value;
      },
    });
  }
}

class BytesColumn implements Column<Uint8Array, Uint8Array, readonly Uint8Array[]>, RowColumn {
  readonly storage: Uint8Array[];
  readonly #leaf: Leaf;
  readonly #memory: RecordMemory;
  /** Backs the views in `storage`. */
  readonly #data: Uint8Array;

  constructor(slots: number, leaf: Leaf, memory: RecordMemory) {
    this.storage = Array.from({ length: slots }, () => EMPTY);
    this.#data = new Uint8Array(slots * leaf.max);
    this.#leaf = leaf;
    this.#memory = memory;
    memory.plan.addOther(this);
  }

  get(slot: number): Uint8Array {
    return this.storage[slot];
  }

  copy(slot: number): Uint8Array {
    return this.get(slot).slice();
  }

  set(slot: number, value: Uint8Array): void {
    const start = slot * this.#leaf.max;
    const length = Math.min(value.length, this.#leaf.max);
    for (let i = 0; i < length; i++) this.#data[start + i] = value[i]!;
    if (this.storage[slot].length !== length) this.storage[slot] = this.#data.subarray(start, start + length);
  }

  settle(slot: number): void {
    const { words, stride, word } = this.#memory;
    const value = this.storage[slot];
    packBytes(value, value.length, words, slot * stride + word, this.#leaf.wordCount);
  }

  load(slot: number): void {
    const { words, stride, word } = this.#memory;
    const length = unpackBytes(words, slot * stride + word, SCRATCH);
    this.set(slot, SCRATCH.subarray(0, length));
  }

  blend(slot: number, from: Int32Array, fromAt: number, to: Int32Array, toAt: number, fraction: number): void {
    const word = this.#memory.word;
    const length = fraction < 1 ? unpackBytes(from, fromAt + word, SCRATCH) : unpackBytes(to, toAt + word, SCRATCH);
    this.set(slot, SCRATCH.subarray(0, length));
  }

  jumps(): boolean {
    return false;
  }

  defineAccessor(prototype: RowPrototype, name: string): void {
    defineColumnAccessor(prototype, name, this);
  }
}

/** The longest start of `value` that takes at most `maxBytes` in UTF-8 and splits no character. */
function cut(value: string, maxBytes: number): string {
  if (value.length * 3 <= maxBytes) return value;
  let size = 0;
  let end = 0;
  while (end < value.length) {
    const point = value.codePointAt(end)!;
    size += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (size > maxBytes) break;
    end += point < 0x10000 ? 1 : 2;
  }
  return value.slice(0, end);
}

function packBytes(source: Uint8Array, length: number, words: Int32Array, at: number, wordCount: number): void {
  words[at] = length;
  for (let i = 1; i < wordCount; i++) {
    const byte = (i - 1) * 4;
    let word = 0;
    for (let j = 3; j >= 0; j--) word = (word << 8) | (byte + j < length ? source[byte + j] : 0);
    words[at + i] = word;
  }
}

/** Returns the length. */
function unpackBytes(words: Int32Array, at: number, target: Uint8Array): number {
  const length = words[at];
  for (let i = 0; i < length; i++) target[i] = words[at + 1 + (i >>> 2)] >>> ((i & 3) * 8);
  return length;
}

function textOf(words: Int32Array, at: number): string {
  return decodeUtf8(SCRATCH, 0, unpackBytes(words, at, SCRATCH)) ?? "";
}
