import type { BitReader, BitWriter } from "@riposte/wire";
import { AdaptiveSizes } from "./adaptive-code.ts";
import type { LeafEntry, RecordDefinition } from "./definition.ts";
import type { Audience } from "./field.ts";
import { copyWords, isRotation, leafCost, readLeaf, readList, sameWords, writeLeaf, writeList } from "./leaf-codec.ts";

/**
 * Puts settled records into bits and takes them out: whole, or as a delta against a baseline record. Per leaf one bit
 * says whether it is as expected (as in the baseline, or where its velocity took it); if not, numbers send the
 * signed difference in an adaptive code, everything else its full value.
 */

const AUDIENCES: readonly Audience[] = ["all", "owner", "server"];

/** How much of a record a reader may see: leaves whose audience is at most this. */
export type Reach = 0 | 1 | 2;
/** Everyone. */
export const REACH_ALL: Reach = 0;
/** The owner of the entity. */
export const REACH_OWNER: Reach = 1;
/** The server itself: everything. Also for inputs and messages. */
export const REACH_SERVER: Reach = 2;

const RANGE = 0;
const WRAP = 1;
const QUATERNION = 2;
const LIST = 3;
const PLAIN = 4;

/** One leaf, ready for coding. */
interface LeafPlan {
  readonly type: number;
  readonly entry: LeafEntry;
  readonly word: number;
  readonly wordCount: number;
  readonly bits: number;
  readonly max: number;
  readonly reach: number;
  readonly step: number;
  /** Has two values only: changed means the other one. */
  readonly isFlag: boolean;
  /** Word of the speed, or -1, and how to read it. */
  readonly velocityWord: number;
  readonly velocityStep: number;
  readonly velocityOrigin: number;
}

export class RecordCodec {
  readonly definition: RecordDefinition;
  /** 1 for every leaf that records of this message may change; the others cost no bit. */
  readonly used: Uint8Array;
  readonly #plans: readonly LeafPlan[];
  readonly #sizes: AdaptiveSizes;

  constructor(definition: RecordDefinition) {
    this.definition = definition;
    this.#plans = definition.leaves.map((entry) => planLeaf(definition, entry));
    this.used = new Uint8Array(this.#plans.length).fill(1);
    this.#sizes = new AdaptiveSizes(this.#plans.map((plan) => 2 ** Math.max(0, plan.bits / 2 - 1)));
  }

  /** Starts a message: forgets the sizes learned from the one before and takes every leaf as used. */
  begin(): void {
    this.#sizes.reset();
    this.used.fill(1);
  }

  /** Starts the marking of changes: clears `used`, which `mark` then sets. */
  clearUsed(): void {
    this.used.fill(0);
  }

  /** Starts the records of a message, with `used` as it is. */
  resetSizes(): void {
    this.#sizes.reset();
  }

  /** `used`, as far as any client's copy of a record has it. */
  writeUsed(writer: BitWriter): void {
    for (let i = 0; i < this.#plans.length; i++) {
      if (this.#plans[i].reach < REACH_SERVER) writer.bits(this.used[i], 1);
    }
  }

  readUsed(reader: BitReader): void {
    for (let i = 0; i < this.#plans.length; i++) {
      this.used[i] = this.#plans[i].reach < REACH_SERVER ? reader.bits(1) : 0;
    }
  }

  /**
   * Marks in `used` what differs from expectation and returns roughly how many bits the delta takes;
   * 0 when the records are equal for this reach.
   */
  mark(words: Int32Array, at: number, base: Int32Array, baseAt: number, reach: Reach, seconds: number): number {
    if (this.equal(words, at, base, baseAt, reach)) return 0;
    let cost = 1;
    for (let i = 0; i < this.#plans.length; i++) {
      const plan = this.#plans[i];
      if (plan.reach > reach) continue;
      cost++;
      if (plan.type === RANGE || plan.type === WRAP) {
        const difference = this.#difference(plan, words, at, base, baseAt, seconds);
        if (difference === 0) continue;
        const size = 34 - Math.clz32(difference < 0 ? -difference : difference);
        cost += size > plan.bits ? plan.bits : size;
      } else {
        if (sameWords(words, at + plan.word, base, baseAt + plan.word, plan.wordCount)) continue;
        cost += leafCost(plan.entry.leaf, words, at);
      }
      this.used[i] = 1;
    }
    return cost;
  }

  /** Roughly the bits of a whole record. */
  wholeCost(words: Int32Array, at: number, reach: Reach): number {
    const initial = this.definition.initialWords;
    let cost = 0;
    for (let i = 0; i < this.#plans.length; i++) {
      const plan = this.#plans[i];
      if (plan.reach > reach) continue;
      cost++;
      if (!sameWords(words, at + plan.word, initial, plan.word, plan.wordCount))
        cost += leafCost(plan.entry.leaf, words, at);
    }
    return cost;
  }

  /** Whether nothing that this reach may see differs. */
  equal(words: Int32Array, at: number, base: Int32Array, baseAt: number, reach: Reach): boolean {
    for (let i = 0; i < this.#plans.length; i++) {
      const plan = this.#plans[i];
      if (plan.reach > reach) continue;
      if (!sameWords(words, at + plan.word, base, baseAt + plan.word, plan.wordCount)) return false;
    }
    return true;
  }

  /** A record without a baseline: every leaf that is not at its initial value, whole. */
  writeWhole(words: Int32Array, at: number, reach: Reach, writer: BitWriter): void {
    const initial = this.definition.initialWords;
    for (let i = 0; i < this.#plans.length; i++) {
      const plan = this.#plans[i];
      if (plan.reach > reach) continue;
      const same = sameWords(words, at + plan.word, initial, plan.word, plan.wordCount);
      writer.bits(same ? 0 : 1, 1);
      if (!same) writeLeaf(plan.entry.leaf, words, at, writer);
    }
  }

  /** False (and the reader has failed) when the bits are no record. Leaves out of reach get their initial value. */
  readWhole(words: Int32Array, at: number, reach: Reach, reader: BitReader): boolean {
    const initial = this.definition.initialWords;
    copyWords(initial, 0, words, at, initial.length);
    for (let i = 0; i < this.#plans.length; i++) {
      const plan = this.#plans[i];
      if (plan.reach > reach) continue;
      if (reader.bits(1) === 1 && !readLeaf(plan.entry.leaf, words, at, reader)) return fail(reader);
    }
    return !reader.failed;
  }

  /** The difference to `base`, which was `seconds` ago. Only `used` leaves are looked at. */
  writeDelta(
    words: Int32Array,
    at: number,
    base: Int32Array,
    baseAt: number,
    reach: Reach,
    seconds: number,
    writer: BitWriter,
  ): void {
    for (let i = 0; i < this.#plans.length; i++) {
      const plan = this.#plans[i];
      if (plan.reach > reach || this.used[i] === 0) continue;
      if (plan.type === RANGE || plan.type === WRAP) {
        const difference = this.#difference(plan, words, at, base, baseAt, seconds);
        writer.bits(difference === 0 ? 0 : 1, 1);
        if (difference === 0) continue;
        const code = difference > 0 ? 2 * difference - 2 : -2 * difference - 1;
        this.#sizes.write(writer, i, code, words[at + plan.word], plan.bits);
        continue;
      }
      const same = sameWords(words, at + plan.word, base, baseAt + plan.word, plan.wordCount);
      writer.bits(same ? 0 : 1, 1);
      if (same || plan.isFlag) continue;
      if (plan.type === QUATERNION) this.#writeQuaternion(i, plan, words, at, base, baseAt, writer);
      else if (plan.type === LIST) writeList(plan.entry.leaf, words, at, base, baseAt, writer);
      else writeLeaf(plan.entry.leaf, words, at, writer);
    }
  }

  /** False (and the reader has failed) when the bits are no delta. `words` and `base` do not overlap. */
  readDelta(
    words: Int32Array,
    at: number,
    base: Int32Array,
    baseAt: number,
    reach: Reach,
    seconds: number,
    reader: BitReader,
  ): boolean {
    copyWords(base, baseAt, words, at, this.definition.wordCount);
    for (let i = 0; i < this.#plans.length; i++) {
      const plan = this.#plans[i];
      if (plan.reach > reach) continue;
      const changed = this.used[i] === 1 && reader.bits(1) === 1;
      if (plan.type === RANGE || plan.type === WRAP) {
        const expected =
          plan.velocityWord < 0 ? base[baseAt + plan.word] >>> 0 : expect(plan, words, at, base, baseAt, seconds);
        const word = changed ? this.#readNumber(i, plan, expected, reader) : expected;
        if (word < 0) return fail(reader);
        words[at + plan.word] = word;
      } else if (changed) {
        let valid = true;
        if (plan.type === QUATERNION) valid = this.#readQuaternion(i, plan, words, at, reader);
        else if (plan.type === LIST) valid = readList(plan.entry.leaf, words, at, base, baseAt, reader);
        else if (plan.isFlag) words[at + plan.word] ^= 1;
        else valid = readLeaf(plan.entry.leaf, words, at, reader);
        if (!valid) return fail(reader);
      }
    }
    return !reader.failed;
  }

  /** Signed distance of a number from where it is expected. */
  #difference(
    plan: LeafPlan,
    words: Int32Array,
    at: number,
    base: Int32Array,
    baseAt: number,
    seconds: number,
  ): number {
    const word = words[at + plan.word] >>> 0;
    if (plan.type === WRAP) {
      const shift = 32 - plan.bits;
      return ((word - base[baseAt + plan.word]) << shift) >> shift;
    }
    if (plan.velocityWord < 0) return word - (base[baseAt + plan.word] >>> 0);
    return word - expect(plan, words, at, base, baseAt, seconds);
  }

  /** The word, or -1 when it is out of range. */
  #readNumber(context: number, plan: LeafPlan, expected: number, reader: BitReader): number {
    const code = this.#sizes.read(reader, context, plan.bits);
    if (code < 0) {
      const raw = reader.bits(plan.bits);
      const difference =
        plan.type === WRAP ? ((raw - expected) << (32 - plan.bits)) >> (32 - plan.bits) : raw - expected;
      // A writer sends no difference of 0; what a forger's 0 teaches does not matter.
      this.#sizes.learn(context, difference > 0 ? 2 * difference - 2 : Math.max(0, -2 * difference - 1));
      return raw > plan.max ? -1 : raw;
    }
    const difference = code % 2 === 0 ? code / 2 + 1 : -(code + 1) / 2;
    const word = expected + difference;
    if (plan.type === WRAP) return word & plan.max;
    return word > plan.max || word < 0 ? -1 : word;
  }

  #writeQuaternion(
    context: number,
    plan: LeafPlan,
    words: Int32Array,
    at: number,
    base: Int32Array,
    baseAt: number,
    writer: BitWriter,
  ): void {
    const first = at + plan.word;
    const baseFirst = baseAt + plan.word;
    const same = words[first] === base[baseFirst];
    writer.bits(same ? 1 : 0, 1);
    if (!same) return writeLeaf(plan.entry.leaf, words, at, writer);
    for (let i = 1; i < 4; i++) {
      const difference = words[first + i] - base[baseFirst + i];
      this.#sizes.write(writer, context, (difference << 1) ^ (difference >> 31), words[first + i], plan.bits);
    }
  }

  /** `words` holds the baseline's rotation. */
  #readQuaternion(context: number, plan: LeafPlan, words: Int32Array, at: number, reader: BitReader): boolean {
    if (reader.bits(1) === 0) return readLeaf(plan.entry.leaf, words, at, reader);
    const first = at + plan.word;
    for (let i = 1; i < 4; i++) {
      const code = this.#sizes.read(reader, context, plan.bits);
      let word = words[first + i] + ((code >>> 1) ^ -(code & 1));
      if (code < 0) {
        word = reader.bits(plan.bits);
        const difference = word - words[first + i];
        this.#sizes.learn(context, (difference << 1) ^ (difference >> 31));
      }
      words[first + i] = word;
    }
    return isRotation(plan.entry.leaf, words, at);
  }
}

/** Where a number should have got to: the baseline moved on by the mean of both speeds, kept in range. */
function expect(
  plan: LeafPlan,
  words: Int32Array,
  at: number,
  base: Int32Array,
  baseAt: number,
  seconds: number,
): number {
  const sum = (words[at + plan.velocityWord] >>> 0) + (base[baseAt + plan.velocityWord] >>> 0);
  const speed = sum * 0.5 * plan.velocityStep + plan.velocityOrigin;
  const word = (base[baseAt + plan.word] >>> 0) + Math.floor((speed * seconds) / plan.step + 0.5);
  return word < 0 ? 0 : word > plan.max ? plan.max : word;
}

function planLeaf(definition: RecordDefinition, entry: LeafEntry): LeafPlan {
  const { leaf, velocity } = entry;
  const speed = velocity < 0 ? undefined : definition.leaves[velocity].leaf;
  return {
    type: planType(entry),
    entry,
    word: leaf.word,
    wordCount: leaf.wordCount,
    bits: leaf.bits,
    max: leaf.max,
    reach: AUDIENCES.indexOf(entry.field.field.attributes.audience),
    step: leaf.step,
    isFlag: leaf.max === 1 && planType(entry) === PLAIN && leaf.type !== "blob",
    velocityWord: speed?.word ?? -1,
    velocityStep: speed?.step ?? 0,
    velocityOrigin: speed?.origin ?? 0,
  };
}

function planType(entry: LeafEntry): number {
  const { type, bits } = entry.leaf;
  if (type === "range" && (bits > 2 || entry.velocity >= 0)) return RANGE;
  if (type === "wrap") return WRAP;
  if (type === "quaternion") return QUATERNION;
  return type === "list" ? LIST : PLAIN;
}

function fail(reader: BitReader): false {
  reader.failed = true;
  return false;
}
