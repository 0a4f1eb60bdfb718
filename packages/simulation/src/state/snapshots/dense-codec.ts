import type { RangeDecoder, RangeEncoder } from "@riposte/wire";
import type { RecordDefinition } from "../definition.ts";
import { lengthOf, NUMBER_MODELS, readNumber, writeNumber } from "./dense-number.ts";
import { ExpectedRotation } from "./dense-rotation.ts";
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
} from "../fields/leaf-codec.ts";
import { distanceTo, expectedWord, leavesByReach, planLeaves, QUATERNION, WRAP } from "../fields/leaf-plan.ts";
import type { LeafPlan, Reach } from "../fields/leaf-plan.ts";

/**
 * Records for the dense encoder: the differences between a settled record and where its two last known records say
 * that it should be, as questions to models (see `RangeEncoder`). Models belong to one client's table: they
 * go from a snapshot to those that build upon it, so that both sides have learned the same.
 */

/** What both sides know of an entity. */
export interface KnownRecords {
  base: Int32Array;
  baseAt: number;
  /** An older record, when `ratio` is not 0. */
  older: Int32Array;
  olderAt: number;
  /** Ticks since the baseline's record. */
  age: number;
  /** `age` as a multiple of the ticks between the two records; 0: there is no older one. */
  ratio: number;
}

/** Beyond this many times the ticks between two records, what they say of a third is noise. */
export const MAX_RATIO = 12;

/** Questions about a leaf that is not a number: has it changed, by whether it had (unknown, no, yes) and whether the numbers before it were off. */
const CHANGE_MODELS = 6;
/** About a rotation: is the same component largest, by whether it had turned; then three numbers. */
const LARGEST_MODELS = 3;

export class DenseCodec {
  readonly definition: RecordDefinition;
  /** Models of a table: those of its records, and a few for the table itself, which come first. */
  readonly modelCount: number;
  /** By reach: the leaves that a reader may see. */
  readonly #visible: readonly (readonly LeafPlan[])[];
  /** By leaf: its first model; the first question is whether a whole record has it at its initial value. */
  readonly #models: Int32Array;
  readonly #rotation = new ExpectedRotation();
  /** Length of the last number's distance from what was expected, in the record at hand. */
  #sibling = 0;

  /** `tickRate`: ticks a second, for expectations from velocity. `tableModels`: how many models come first. */
  constructor(definition: RecordDefinition, tickRate: number, tableModels: number) {
    this.definition = definition;
    const plans = planLeaves(definition, tickRate);
    this.#visible = leavesByReach(plans);
    this.#models = new Int32Array(plans.length);
    let count = tableModels;
    for (const plan of plans) {
      this.#models[plan.index] = count;
      count += 1 + modelsOf(plan);
    }
    this.modelCount = count;
  }

  /** Whether nothing that this reach may see differs. */
  equal(words: Int32Array, at: number, base: Int32Array, baseAt: number, reach: Reach): boolean {
    return sameLeaves(this.#visible[reach], words, at, base, baseAt);
  }

  /** Roughly the bits of the record against what is known of it; 0 when it equals the baseline's. */
  cost(words: Int32Array, at: number, known: KnownRecords, reach: Reach): number {
    if (this.equal(words, at, known.base, known.baseAt, reach)) return 0;
    const plans = this.#visible[reach];
    let cost = 2;
    for (let n = 0; n < plans.length; n++) {
      const plan = plans[n];
      if (plan.type <= WRAP) {
        cost += numberCost(distanceTo(plan, words[at + plan.word], expected(plan, words, at, known)));
      } else if (!sameWords(words, at + plan.word, known.base, known.baseAt + plan.word, plan.wordCount)) {
        // Rotations are worked out only when they are written.
        cost += plan.type === QUATERNION ? 2 * plan.bits : leafCost(plan.entry.leaf, words, at);
      }
    }
    return Math.ceil(cost);
  }

  /** Roughly the bits of a whole record. */
  wholeCost(words: Int32Array, at: number, reach: Reach): number {
    const initial = this.definition.initialWords;
    let cost = 0;
    for (const plan of this.#visible[reach]) {
      if (!sameWords(words, at + plan.word, initial, plan.word, plan.wordCount))
        cost += 1 + leafCost(plan.entry.leaf, words, at);
    }
    return cost;
  }

  /** A record that the client has never had: every leaf that is not at its initial value, whole. */
  writeWhole(words: Int32Array, at: number, reach: Reach, models: Int32Array, encoder: RangeEncoder): void {
    const initial = this.definition.initialWords;
    for (const plan of this.#visible[reach]) {
      const same = sameWords(words, at + plan.word, initial, plan.word, plan.wordCount);
      encoder.bit(models, this.#models[plan.index], same ? 1 : 0);
      if (!same) writeLeaf(plan.entry.leaf, words, at, encoder);
    }
  }

  /** False when the bits are no record. Leaves out of reach get their initial value. */
  readWhole(words: Int32Array, at: number, reach: Reach, models: Int32Array, decoder: RangeDecoder): boolean {
    const initial = this.definition.initialWords;
    copyWords(initial, 0, words, at, initial.length);
    for (const plan of this.#visible[reach]) {
      if (decoder.bit(models, this.#models[plan.index]) === 1) continue;
      if (!readLeaf(plan.entry.leaf, words, at, decoder)) return false;
    }
    return !decoder.failed;
  }

  write(
    words: Int32Array,
    at: number,
    known: KnownRecords,
    reach: Reach,
    models: Int32Array,
    encoder: RangeEncoder,
  ): void {
    const plans = this.#visible[reach];
    this.#sibling = 0;
    for (let n = 0; n < plans.length; n++) {
      const plan = plans[n];
      const model = this.#models[plan.index] + 1;
      if (plan.type <= WRAP) {
        const word = expected(plan, words, at, known);
        const way = distanceTo(plan, word, known.base[known.baseAt + plan.word]);
        const distance = distanceTo(plan, words[at + plan.word], word);
        writeNumber(encoder, models, model, distance, way, hasWay(plan, known), this.#sibling);
        this.#sibling = lengthOf(distance);
      } else if (plan.type === QUATERNION) this.#writeRotation(plan, words, at, known, models, model, encoder);
      else {
        const same = sameWords(words, at + plan.word, known.base, known.baseAt + plan.word, plan.wordCount);
        encoder.bit(models, model + this.#changeModel(plan, known), same ? 1 : 0);
        if (!same) writeChanged(plan, words, at, known.base, known.baseAt, encoder);
      }
    }
  }

  /** False when the bits are no record. `words` overlaps with neither of the known ones. */
  read(
    words: Int32Array,
    at: number,
    known: KnownRecords,
    reach: Reach,
    models: Int32Array,
    decoder: RangeDecoder,
  ): boolean {
    copyWords(known.base, known.baseAt, words, at, this.definition.wordCount);
    const plans = this.#visible[reach];
    this.#sibling = 0;
    for (let n = 0; n < plans.length; n++) {
      const plan = plans[n];
      const model = this.#models[plan.index] + 1;
      if (plan.type <= WRAP) {
        const word = expected(plan, words, at, known);
        const way = distanceTo(plan, word, known.base[known.baseAt + plan.word]);
        const distance = readNumber(decoder, models, model, way, hasWay(plan, known), this.#sibling);
        this.#sibling = lengthOf(distance);
        const value = plan.type === WRAP ? (word + distance) & plan.max : word + distance;
        if (value < 0 || value > plan.max) return false;
        words[at + plan.word] = value;
      } else if (plan.type === QUATERNION) {
        if (!this.#readRotation(plan, words, at, known, models, model, decoder)) return false;
      } else if (decoder.bit(models, model + this.#changeModel(plan, known)) === 0) {
        if (!readChanged(plan, words, at, known.base, known.baseAt, decoder)) return false;
      }
      if (decoder.failed) return false;
    }
    return true;
  }

  #writeRotation(
    plan: LeafPlan,
    words: Int32Array,
    at: number,
    known: KnownRecords,
    models: Int32Array,
    model: number,
    encoder: RangeEncoder,
  ): void {
    const turned = turns(plan, known);
    this.#expectRotation(plan, known, turned);
    const first = at + plan.word;
    const largest = words[first];
    const same = largest === this.#rotation.largest;
    encoder.bit(models, model + turned, same ? 1 : 0);
    if (!same) encoder.bits(largest, 2);
    let word = first + 1;
    let numbers = model + LARGEST_MODELS;
    for (let i = 0; i < 4; i++) {
      if (i === largest) continue;
      const expectation = this.#rotation.word(plan, i, largest);
      const distance = words[word++] - expectation;
      const way = same ? this.#way(plan, known, i, largest, expectation) : 0;
      writeNumber(encoder, models, numbers, distance, way, turned > 0, this.#sibling);
      this.#sibling = lengthOf(distance);
      numbers += NUMBER_MODELS;
    }
  }

  #readRotation(
    plan: LeafPlan,
    words: Int32Array,
    at: number,
    known: KnownRecords,
    models: Int32Array,
    model: number,
    decoder: RangeDecoder,
  ): boolean {
    const turned = turns(plan, known);
    this.#expectRotation(plan, known, turned);
    const first = at + plan.word;
    const same = decoder.bit(models, model + turned) === 1;
    const largest = same ? this.#rotation.largest : decoder.bits(2);
    words[first] = largest;
    let word = first + 1;
    let numbers = model + LARGEST_MODELS;
    for (let i = 0; i < 4; i++) {
      if (i === largest) continue;
      const expectation = this.#rotation.word(plan, i, largest);
      const way = same ? this.#way(plan, known, i, largest, expectation) : 0;
      const distance = readNumber(decoder, models, numbers, way, turned > 0, this.#sibling);
      this.#sibling = lengthOf(distance);
      numbers += NUMBER_MODELS;
      words[word++] = expectation + distance;
    }
    return isRotation(plan.entry.leaf, words, at);
  }

  #expectRotation(plan: LeafPlan, known: KnownRecords, turned: number): void {
    const ratio = turned === 2 ? known.ratio : 0;
    this.#rotation.expect(plan, known.base, known.baseAt, known.older, known.olderAt, ratio);
  }

  /** How far a component was expected to go, when the baseline has it as well. */
  #way(plan: LeafPlan, known: KnownRecords, i: number, largest: number, expectation: number): number {
    const first = known.baseAt + plan.word;
    return known.base[first] === largest ? expectation - known.base[first + 1 + (i > largest ? i - 1 : i)] : 0;
  }

  /** Which question it is whether a leaf that is no number has changed. */
  #changeModel(plan: LeafPlan, known: KnownRecords): number {
    return turns(plan, known) * 2 + (this.#sibling > 0 ? 1 : 0);
  }
}

function modelsOf(plan: LeafPlan): number {
  if (plan.type <= WRAP) return NUMBER_MODELS;
  return plan.type === QUATERNION ? LARGEST_MODELS + 3 * NUMBER_MODELS : CHANGE_MODELS;
}

function hasWay(plan: LeafPlan, known: KnownRecords): boolean {
  return plan.velocityWord >= 0 || known.ratio > 0;
}

/** Whether the leaf changed between the two known records: 0 when there is one only, 1: no, 2: yes. */
function turns(plan: LeafPlan, known: KnownRecords): number {
  if (known.ratio === 0) return 0;
  const { base, baseAt, older, olderAt } = known;
  return sameWords(base, baseAt + plan.word, older, olderAt + plan.word, plan.wordCount) ? 1 : 2;
}

/** Where a number should be: by its velocity if it has one, else as far on as it went between the two known records. */
function expected(plan: LeafPlan, words: Int32Array, at: number, known: KnownRecords): number {
  const { base, baseAt, ratio } = known;
  if (plan.velocityWord >= 0) return expectedWord(plan, words, at, base, baseAt, known.age);
  const last = base[baseAt + plan.word];
  if (ratio === 0) return last;
  const moved = distanceTo(plan, last, known.older[known.olderAt + plan.word]);
  if (moved === 0) return last;
  const word = last + Math.floor(moved * ratio + 0.5);
  if (plan.type === WRAP) return word & plan.max;
  return word > 0 ? (word < plan.max ? word : plan.max) : 0;
}

function numberCost(distance: number): number {
  return distance === 0 ? 0.5 : 2 + lengthOf(distance) * 1.25;
}
