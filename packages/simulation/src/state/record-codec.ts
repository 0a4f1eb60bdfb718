import type { BitReader, BitWriter } from "@riposte/wire";
import { AdaptiveSizes, unzigzag, zigzag } from "./adaptive-code.ts";
import type { RecordDefinition } from "./definition.ts";
import {
  copyWords,
  isRotation,
  leafCost,
  readChanged,
  readLeaf,
  sameLeaves,
  sameWords,
  writeChanged,
  writeLeaf,
} from "./fields/leaf-codec.ts";
import { distanceTo, expectedWord, leavesByReach, planLeaves, QUATERNION, RANGE, WRAP } from "./fields/leaf-plan.ts";
import type { LeafPlan, Reach } from "./fields/leaf-plan.ts";

/**
 * Puts settled records into bits and takes them out: whole, or as a delta against a baseline record. Per leaf one bit
 * says whether it is as expected (as in the baseline, or where its velocity took it); if not, numbers send the
 * signed difference in an adaptive code, everything else its full value.
 */

/** Changed bits of a record are sent in runs of this many leaves. */
const FLAGS_AT_ONCE = 30;

export class RecordCodec {
  readonly definition: RecordDefinition;
  readonly leafCount: number;
  readonly #plans: readonly LeafPlan[];
  /** By reach: the leaves that a reader may see. */
  readonly #visible: readonly (readonly LeafPlan[])[];
  readonly #sizes: AdaptiveSizes;
  /** By leaf: scratch of `writeDelta` and of readers. */
  readonly #changes: Int32Array;

  /** `tickRate`: ticks a second, for expectations from velocity. */
  constructor(definition: RecordDefinition, tickRate = 60) {
    this.definition = definition;
    this.#plans = planLeaves(definition, tickRate);
    this.#visible = leavesByReach(this.#plans);
    this.leafCount = this.#plans.length;
    this.#changes = new Int32Array(this.leafCount);
    this.#sizes = new AdaptiveSizes(this.#plans.map((plan) => 1 << Math.max(0, (plan.bits >> 1) - 1)));
  }

  /** Starts a record that stands alone: nothing is learned yet. */
  begin(): void {
    this.#sizes.reset();
  }

  /**
   * Notes in `changes[changesAt]` and on, a number for each leaf, how far it is from what is expected (for what is not
   * a number: 1 if it differs), and returns roughly how many bits the delta takes; 0, and notes
   * nothing, when the records are equal for this reach. The baseline is `ticks` old.
   */
  measure(
    words: Int32Array,
    at: number,
    base: Int32Array,
    baseAt: number,
    reach: Reach,
    ticks: number,
    changes: Int32Array,
    changesAt: number,
  ): number {
    if (this.equal(words, at, base, baseAt, reach)) return 0;
    const plans = this.#visible[reach];
    let cost = 1 + plans.length;
    for (let n = 0; n < plans.length; n++) {
      const plan = plans[n];
      const i = plan.index;
      changes[changesAt + i] = 0;
      const word = words[at + plan.word];
      const old = base[baseAt + plan.word];
      let change = 0;
      if (plan.type === RANGE) {
        change = word - (plan.velocityWord < 0 ? old : expectedWord(plan, words, at, base, baseAt, ticks));
      } else if (plan.type === WRAP) change = distanceTo(plan, word, old);
      else if (word !== old || !sameWords(words, at + plan.word, base, baseAt + plan.word, plan.wordCount)) change = 1;
      if (change === 0) continue;
      changes[changesAt + i] = change;
      cost += plan.type <= WRAP ? numberCost(change, plan.bits) : leafCost(plan.entry.leaf, words, at);
    }
    return cost;
  }

  /** Roughly the bits of a whole record. */
  wholeCost(words: Int32Array, at: number, reach: Reach): number {
    const initial = this.definition.initialWords;
    const plans = this.#visible[reach];
    let cost = plans.length;
    for (let n = 0; n < plans.length; n++) {
      const plan = plans[n];
      if (!sameWords(words, at + plan.word, initial, plan.word, plan.wordCount)) {
        cost += leafCost(plan.entry.leaf, words, at);
      }
    }
    return cost;
  }

  /** Whether nothing that this reach may see differs. */
  equal(words: Int32Array, at: number, base: Int32Array, baseAt: number, reach: Reach): boolean {
    return sameLeaves(this.#visible[reach], words, at, base, baseAt);
  }

  /** A record without a baseline: every leaf that is not at its initial value, whole. */
  writeWhole(words: Int32Array, at: number, reach: Reach, writer: BitWriter): void {
    const initial = this.definition.initialWords;
    for (const plan of this.#visible[reach]) {
      const same = sameWords(words, at + plan.word, initial, plan.word, plan.wordCount);
      writer.bits(same ? 0 : 1, 1);
      if (!same) writeLeaf(plan.entry.leaf, words, at, writer);
    }
  }

  /** False (and the reader has failed) when the bits are no record. Leaves out of reach get their initial value. */
  readWhole(words: Int32Array, at: number, reach: Reach, reader: BitReader): boolean {
    const initial = this.definition.initialWords;
    copyWords(initial, 0, words, at, initial.length);
    for (const plan of this.#visible[reach]) {
      if (reader.bits(1) === 1 && !readLeaf(plan.entry.leaf, words, at, reader)) return fail(reader);
    }
    return !reader.failed;
  }

  /** The difference to `base`, for a message that stands alone. */
  writeDelta(words: Int32Array, at: number, base: Int32Array, baseAt: number, reach: Reach, writer: BitWriter): void {
    const cost = this.measure(words, at, base, baseAt, reach, 0, this.#changes, 0);
    if (cost === 0) this.#changes.fill(0);
    this.writeMeasured(words, at, base, baseAt, reach, this.#changes, 0, writer);
  }

  /** The difference that `measure` noted: a flag for each leaf in reach, then the changed ones. */
  writeMeasured(
    words: Int32Array,
    at: number,
    base: Int32Array,
    baseAt: number,
    reach: Reach,
    changes: Int32Array,
    changesAt: number,
    writer: BitWriter,
  ): void {
    const plans = this.#visible[reach];
    let flags = 0;
    let flagCount = 0;
    for (let n = 0; n < plans.length; n++) {
      if (changes[changesAt + plans[n].index] !== 0) flags |= 1 << flagCount;
      if (++flagCount < FLAGS_AT_ONCE) continue;
      writer.bits(flags, flagCount);
      flags = flagCount = 0;
    }
    if (flagCount > 0) writer.bits(flags, flagCount);
    for (let n = 0; n < plans.length; n++) {
      const plan = plans[n];
      const i = plan.index;
      const change = changes[changesAt + i];
      if (change === 0) continue;
      if (plan.type <= WRAP) {
        const code = change > 0 ? 2 * change - 2 : -2 * change - 1;
        this.#sizes.write(writer, i, code, words[at + plan.word], plan.bits);
      } else if (plan.type === QUATERNION) this.#writeQuaternion(i, plan, words, at, base, baseAt, writer);
      else writeChanged(plan, words, at, base, baseAt, writer);
    }
  }

  /** False (and the reader has failed) when the bits are no delta. `words` and `base` do not overlap. */
  readDelta(
    words: Int32Array,
    at: number,
    base: Int32Array,
    baseAt: number,
    reach: Reach,
    ticks: number,
    reader: BitReader,
  ): boolean {
    copyWords(base, baseAt, words, at, this.definition.wordCount);
    this.#readFlags(reach, reader);
    const changes = this.#changes;
    const plans = this.#visible[reach];
    for (let n = 0; n < plans.length; n++) {
      const plan = plans[n];
      const i = plan.index;
      if (plan.type <= WRAP) {
        const word = at + plan.word;
        if (plan.velocityWord >= 0) words[word] = expectedWord(plan, words, at, base, baseAt, ticks);
        if (changes[i] === 0) continue;
        const value = this.#readNumber(i, plan, words[word], reader);
        if (value < 0) return fail(reader);
        words[word] = value;
      } else if (changes[i] === 1) {
        const good =
          plan.type === QUATERNION
            ? this.#readQuaternion(i, plan, words, at, reader)
            : readChanged(plan, words, at, base, baseAt, reader);
        if (!good) return fail(reader);
      }
    }
    return !reader.failed;
  }

  /** Into `#changes`: 1 for the leaves that follow. */
  #readFlags(reach: Reach, reader: BitReader): void {
    const plans = this.#visible[reach];
    const changes = this.#changes;
    let flags = 0;
    for (let n = 0; n < plans.length; n++) {
      const place = n % FLAGS_AT_ONCE;
      if (place === 0) flags = reader.bits(Math.min(plans.length - n, FLAGS_AT_ONCE));
      changes[plans[n].index] = (flags >>> place) & 1;
    }
  }

  /** The word, or -1 when it is out of range. */
  #readNumber(context: number, plan: LeafPlan, expected: number, reader: BitReader): number {
    const code = this.#sizes.read(reader, context, plan.bits);
    if (code < 0) {
      const raw = reader.bits(plan.bits);
      const change = distanceTo(plan, raw, expected);
      // A writer sends no change of 0; what a forger's 0 teaches does not matter.
      this.#sizes.learn(context, change > 0 ? 2 * change - 2 : Math.max(0, -2 * change - 1));
      return raw > plan.max ? -1 : raw;
    }
    const word = expected + ((code & 1) === 0 ? (code >> 1) + 1 : -((code + 1) >> 1));
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
      this.#sizes.write(writer, context, zigzag(difference), words[first + i], plan.bits);
    }
  }

  /** `words` holds the baseline's rotation. */
  #readQuaternion(context: number, plan: LeafPlan, words: Int32Array, at: number, reader: BitReader): boolean {
    if (reader.bits(1) === 0) return readLeaf(plan.entry.leaf, words, at, reader);
    const first = at + plan.word;
    for (let i = 1; i < 4; i++) {
      const code = this.#sizes.read(reader, context, plan.bits);
      let word = words[first + i] + unzigzag(code);
      if (code < 0) {
        word = reader.bits(plan.bits);
        const difference = word - words[first + i];
        this.#sizes.learn(context, zigzag(difference));
      }
      words[first + i] = word;
    }
    return isRotation(plan.entry.leaf, words, at);
  }
}

function numberCost(change: number, bits: number): number {
  const size = 34 - Math.clz32(change < 0 ? -change : change);
  return size < bits ? size : bits;
}

function fail(reader: BitReader): false {
  reader.failed = true;
  return false;
}
