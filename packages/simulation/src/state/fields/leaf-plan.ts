import type { LeafEntry, RecordDefinition } from "../definition.ts";
import type { Audience } from "./field.ts";

/** The leaves of a record, ready for coding: what kind of difference each one sends, who may see it, what it should be. */

const AUDIENCES: readonly Audience[] = ["all", "owner", "server"];

/** How much of a record a reader may see: leaves whose audience is at most this. */
export type Reach = 0 | 1 | 2;
/** Everyone. */
export const REACH_ALL: Reach = 0;
/** The owner of the entity. */
export const REACH_OWNER: Reach = 1;
/** The server itself: everything. Also for inputs and messages. */
export const REACH_SERVER: Reach = 2;
/** All of them, by number. */
const REACHES: readonly Reach[] = [REACH_ALL, REACH_OWNER, REACH_SERVER];

export const RANGE = 0;
export const WRAP = 1;
export const QUATERNION = 2;
export const LIST = 3;
const PLAIN = 4;

/** One leaf, ready for coding. */
export interface LeafPlan {
  /** Its place in the definition's leaves. */
  readonly index: number;
  readonly type: number;
  readonly entry: LeafEntry;
  readonly word: number;
  readonly wordCount: number;
  readonly bits: number;
  readonly max: number;
  readonly reach: number;
  /** Has two values only: changed means the other one. */
  readonly isFlag: boolean;
  /** Word of the speed, or -1; levels moved in a tick = (sum of the old and the new speed's words) * scale + shift. */
  readonly velocityWord: number;
  readonly velocityScale: number;
  readonly velocityShift: number;
}

export function planLeaves(definition: RecordDefinition, tickRate: number): readonly LeafPlan[] {
  return definition.leaves.map((entry, index) => planLeaf(definition, entry, index, tickRate));
}

/** By reach: the leaves that a reader may see. */
export function leavesByReach(plans: readonly LeafPlan[]): readonly (readonly LeafPlan[])[] {
  return REACHES.map((reach) => plans.filter((plan) => plan.reach <= reach));
}

/** Of a number: levels from `from` to `to`; on a circle the shorter way around. */
export function distanceTo(plan: LeafPlan, to: number, from: number): number {
  return plan.type === RANGE ? to - from : ((to - from) << (32 - plan.bits)) >> (32 - plan.bits);
}

/** Where a number should have got to: the baseline moved on by the mean of both speeds, kept in range. */
export function expectedWord(
  plan: LeafPlan,
  words: Int32Array,
  at: number,
  base: Int32Array,
  baseAt: number,
  ticks: number,
): number {
  const speeds = words[at + plan.velocityWord] + base[baseAt + plan.velocityWord];
  const way = Math.floor((speeds * plan.velocityScale + plan.velocityShift) * ticks + 0.5);
  const word = base[baseAt + plan.word] + way;
  return word > 0 ? (word < plan.max ? word | 0 : plan.max) : 0;
}

function planLeaf(definition: RecordDefinition, entry: LeafEntry, index: number, tickRate: number): LeafPlan {
  const { leaf, velocity } = entry;
  const follows = velocity >= 0 && planType(entry) === RANGE && definition.leaves[velocity].leaf.bits <= 30;
  const speed = follows ? definition.leaves[velocity].leaf : undefined;
  return {
    index,
    type: planType(entry),
    entry,
    word: leaf.word,
    wordCount: leaf.wordCount,
    bits: leaf.bits,
    max: leaf.max,
    reach: AUDIENCES.indexOf(entry.field.field.attributes.audience),
    isFlag: leaf.max === 1 && planType(entry) === PLAIN && leaf.type !== "blob",
    velocityWord: speed?.word ?? -1,
    velocityScale: speed === undefined ? 0 : speed.step / (2 * leaf.step * tickRate),
    velocityShift: speed === undefined ? 0 : speed.origin / (leaf.step * tickRate),
  };
}

function planType(entry: LeafEntry): number {
  const { type, bits } = entry.leaf;
  // Differences of up to 30 bits stay within integers; whatever is wider is sent whole.
  if (type === "range" && bits > 2 && bits <= 30) return RANGE;
  if (type === "wrap") return WRAP;
  if (type === "quaternion") return QUATERNION;
  return type === "list" ? LIST : PLAIN;
}
