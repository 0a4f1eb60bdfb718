import { decodeUtf8 } from "@riposte/wire";
import type { BitSink, BitSource } from "../snapshots/bit-stream.ts";
import { isF32Number } from "./f32-word.ts";
import type { Leaf } from "./field.ts";
import { LIST } from "./leaf-plan.ts";
import type { LeafPlan } from "./leaf-plan.ts";
import { isQuaternion } from "./quaternion-field.ts";

/**
 * Single leaves of a record as bits: whole values, and what is no number against an older record. Readers accept only words that
 * settling could have made, so a record off the wire is always a settled one.
 */

const TEXT = new Uint8Array(1024);

/** Writes the whole value. `at` is where the record starts. */
export function writeLeaf(leaf: Leaf, words: Int32Array, at: number, writer: BitSink): void {
  const first = at + leaf.word;
  const word = words[first];
  switch (leaf.type) {
    case "range":
    case "wrap":
    case "raw":
      writer.bits(word, leaf.bits);
      break;
    case "entity":
      writer.bits(word < 0 ? 0 : 1, 1);
      if (word >= 0) writer.bits(word, 24);
      break;
    case "quaternion":
      writer.bits(word, 2);
      for (let i = 1; i < 4; i++) writer.bits(words[first + i], leaf.bits);
      break;
    case "blob":
      writer.bits(word, leaf.bits);
      for (let i = 0; i < word; i++) writer.bits(words[first + 1 + (i >>> 2)] >>> ((i & 3) * 8), 8);
      break;
    case "list":
      writer.bits(word, leaf.bits);
      for (let i = 0; i < word; i++) writeElement(leaf, words, first + 1 + i * leaf.elementWords, writer);
      break;
  }
}

/** False when the bits are no value of this leaf; nothing may be assumed of `words` then. */
export function readLeaf(leaf: Leaf, words: Int32Array, at: number, reader: BitSource): boolean {
  const first = at + leaf.word;
  switch (leaf.type) {
    case "range":
    case "wrap":
    case "raw": {
      const value = reader.bits(leaf.bits);
      words[first] = value;
      return value <= leaf.max >>> 0 && (leaf.bits < 32 || leaf.type !== "raw" || isF32Number(value)) && !reader.failed;
    }
    case "entity":
      words[first] = reader.bits(1) === 1 ? reader.bits(24) : -1;
      return !reader.failed;
    case "quaternion":
      words[first] = reader.bits(2);
      for (let i = 1; i < 4; i++) words[first + i] = reader.bits(leaf.bits);
      return !reader.failed && isRotation(leaf, words, at);
    case "blob":
      return readBlob(leaf, words, first, reader);
    case "list": {
      const length = reader.bits(leaf.bits);
      if (length > leaf.max) return false;
      words.fill(0, first, first + leaf.wordCount);
      words[first] = length;
      for (let i = 0; i < length; i++) {
        if (!readElement(leaf, words, first + 1 + i * leaf.elementWords, reader)) return false;
      }
      return !reader.failed;
    }
  }
}

/** A leaf that is no number and differs from the baseline's: of a flag nothing, of a list what is new, else the whole value. */
export function writeChanged(
  plan: LeafPlan,
  words: Int32Array,
  at: number,
  base: Int32Array,
  baseAt: number,
  writer: BitSink,
): void {
  if (plan.isFlag) return;
  if (plan.type === LIST) writeList(plan.entry.leaf, words, at, base, baseAt, writer);
  else writeLeaf(plan.entry.leaf, words, at, writer);
}

/** `words` holds the baseline's value, and does not overlap with `base`. */
export function readChanged(
  plan: LeafPlan,
  words: Int32Array,
  at: number,
  base: Int32Array,
  baseAt: number,
  reader: BitSource,
): boolean {
  if (plan.isFlag) {
    words[at + plan.word] ^= 1;
    return true;
  }
  if (plan.type === LIST) return readList(plan.entry.leaf, words, at, base, baseAt, reader);
  return readLeaf(plan.entry.leaf, words, at, reader);
}

/** A list against an older one: one bit for each element that is as it was. */
function writeList(leaf: Leaf, words: Int32Array, at: number, base: Int32Array, baseAt: number, writer: BitSink): void {
  const first = at + leaf.word;
  const baseFirst = baseAt + leaf.word;
  const length = words[first];
  writer.bits(length, leaf.bits);
  for (let i = 0; i < length; i++) {
    const element = first + 1 + i * leaf.elementWords;
    if (i < base[baseFirst]) {
      const same = sameWords(words, element, base, baseFirst + 1 + i * leaf.elementWords, leaf.elementWords);
      writer.bits(same ? 1 : 0, 1);
      if (same) continue;
    }
    writeElement(leaf, words, element, writer);
  }
}

function readList(
  leaf: Leaf,
  words: Int32Array,
  at: number,
  base: Int32Array,
  baseAt: number,
  reader: BitSource,
): boolean {
  const first = at + leaf.word;
  const baseFirst = baseAt + leaf.word;
  const length = reader.bits(leaf.bits);
  if (length > leaf.max) return false;
  words.fill(0, first, first + leaf.wordCount);
  words[first] = length;
  for (let i = 0; i < length; i++) {
    const element = first + 1 + i * leaf.elementWords;
    if (i < base[baseFirst] && reader.bits(1) === 1) {
      copyWords(base, baseFirst + 1 + i * leaf.elementWords, words, element, leaf.elementWords);
    } else if (!readElement(leaf, words, element, reader)) return false;
  }
  return !reader.failed;
}

/** Whether the leaf's words are a rotation that settling could have made. */
export function isRotation(leaf: Leaf, words: Int32Array, at: number): boolean {
  const first = at + leaf.word;
  for (let i = 1; i < 4; i++) if (words[first + i] < 0 || words[first + i] > leaf.max) return false;
  return isQuaternion(leaf, words, first);
}

/** Bits of a whole value, for budgets. */
export function leafCost(leaf: Leaf, words: Int32Array, at: number): number {
  const length = words[at + leaf.word];
  if (leaf.type === "blob") return leaf.bits + length * 8;
  if (leaf.type === "quaternion") return 2 + leaf.bits * 3;
  if (leaf.type === "entity") return length < 0 ? 1 : 25;
  if (leaf.type !== "list") return leaf.bits;
  let cost = leaf.bits;
  for (let i = 0; i < length; i++) {
    const element = at + leaf.word + 1 + i * leaf.elementWords;
    for (let j = 0; j < leaf.element.length; j++) cost += 1 + leafCost(leaf.element[j], words, element);
  }
  return cost;
}

export function sameWords(a: Int32Array, at: number, b: Int32Array, bAt: number, count: number): boolean {
  for (let i = 0; i < count; i++) if (a[at + i] !== b[bAt + i]) return false;
  return true;
}

/** Whether no leaf of these differs. */
export function sameLeaves(
  plans: readonly LeafPlan[],
  words: Int32Array,
  at: number,
  base: Int32Array,
  baseAt: number,
): boolean {
  for (let n = 0; n < plans.length; n++) {
    const { word, wordCount } = plans[n];
    if (words[at + word] !== base[baseAt + word]) return false;
    if (wordCount > 1 && !sameWords(words, at + word, base, baseAt + word, wordCount)) return false;
  }
  return true;
}

export function copyWords(from: Int32Array, fromAt: number, to: Int32Array, toAt: number, count: number): void {
  for (let i = 0; i < count; i++) to[toAt + i] = from[fromAt + i];
}

function writeElement(leaf: Leaf, words: Int32Array, at: number, writer: BitSink): void {
  for (let i = 0; i < leaf.element.length; i++) writeLeaf(leaf.element[i], words, at, writer);
}

function readElement(leaf: Leaf, words: Int32Array, at: number, reader: BitSource): boolean {
  for (let i = 0; i < leaf.element.length; i++) if (!readLeaf(leaf.element[i], words, at, reader)) return false;
  return true;
}

function readBlob(leaf: Leaf, words: Int32Array, first: number, reader: BitSource): boolean {
  const length = reader.bits(leaf.bits);
  if (length > leaf.max || length * 8 > reader.remainingBits) return false;
  words.fill(0, first, first + leaf.wordCount);
  words[first] = length;
  for (let i = 0; i < length; i++) {
    const byte = reader.bits(8);
    TEXT[i] = byte;
    words[first + 1 + (i >>> 2)] |= byte << ((i & 3) * 8);
  }
  return !leaf.text || decodeUtf8(TEXT, 0, length) !== undefined;
}
