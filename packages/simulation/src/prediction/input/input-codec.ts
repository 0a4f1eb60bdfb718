/**
 * An input as bits: the difference to another input, usually of the next or the last tick. The code is fixed, so what an
 * input takes depends on these two only.
 *
 *     record:  0 as the other one | 1, then its parts
 *     parts:   all switches (bool, or a number of two values) together, in groups of 24; then every other leaf by itself
 *              each 0 as before | 1 and its change; without this bit for the last part, when no other has changed
 *     switches: 1 and the place of the only one that has changed | 0 and one bit for each; nothing, if there is only one
 *     numbers: 2 bits for the size, then the change (zigzag, less 1, less what smaller sizes cover) in a quarter, half, or
 *              two thirds of the number's own bits; size 3, and numbers up to 4 bits (no size): the whole value
 *     others:  lists against the older list, everything else whole
 */
import type { BitReader, BitWriter } from "@riposte/wire";
import { unzigzag, zigzag } from "../../state/adaptive-code.ts";
import { valuesToWords, wordsToValues } from "../../state/index.ts";
import type { Fields, InputDefinition, Values } from "../../state/index.ts";
import { copyWords, readChanged, sameWords, writeChanged } from "../../state/fields/leaf-codec.ts";
import { distanceTo, planLeaves, RANGE, WRAP } from "../../state/fields/leaf-plan.ts";
import type { LeafPlan } from "../../state/fields/leaf-plan.ts";

interface SwitchPart {
  readonly kind: "switches";
  /** Words of the record, one for each. */
  readonly words: readonly number[];
  readonly placeBits: number;
}

interface LeafPart {
  readonly kind: "number" | "other";
  readonly plan: LeafPlan;
  /** Bits of sizes 0, 1 and 2, and what is below each. */
  readonly widths: readonly number[];
  readonly below: readonly number[];
}

type Part = SwitchPart | LeafPart;

/** Reads and writes the inputs of one definition. */
export class InputCodec {
  readonly #wordCount: number;
  readonly #parts: readonly Part[];

  constructor(definition: InputDefinition) {
    this.#wordCount = definition.wordCount;
    this.#parts = planParts(planLeaves(definition, 60));
  }

  /** Writes the settled record at `words[at...]` as the difference to the one at `base[baseAt...]`; 1 bit when they are the same. */
  write(words: Int32Array, at: number, base: Int32Array, baseAt: number, writer: BitWriter): void {
    if (sameWords(words, at, base, baseAt, this.#wordCount)) return writer.bits(0, 1);
    writer.bits(1, 1);
    const parts = this.#parts;
    const last = parts.length - 1;
    let any = false;
    for (let i = 0; i <= last; i++) {
      const part = parts[i];
      const changed =
        part.kind === "switches" ? flipped(part, words, at, base, baseAt) : differs(part, words, at, base, baseAt);
      if (i < last || any) writer.bits(changed === 0 ? 0 : 1, 1);
      if (changed === 0) continue;
      any = true;
      if (part.kind === "switches") writeSwitches(part, changed, writer);
      else if (part.kind === "number")
        writeNumber(part, words[at + part.plan.word], base[baseAt + part.plan.word], writer);
      else writeChanged(part.plan, words, at, base, baseAt, writer);
    }
  }

  /**
   * Reads into `words[at...]` what was written against the same `base`; the two must not overlap. False when the bits are
   * no input: nothing may be assumed of `words` then. Otherwise every value is within its declared range. Takes no
   * longer than a few operations per word of the record, whatever the bits are.
   */
  read(words: Int32Array, at: number, base: Int32Array, baseAt: number, reader: BitReader): boolean {
    copyWords(base, baseAt, words, at, this.#wordCount);
    if (reader.bits(1) === 0) return !reader.failed;
    const parts = this.#parts;
    const last = parts.length - 1;
    let any = false;
    for (let i = 0; i <= last; i++) {
      if ((i < last || any) && reader.bits(1) === 0) continue;
      any = true;
      const part = parts[i];
      let good: boolean;
      if (part.kind === "switches") good = readSwitches(part, words, at, reader);
      else if (part.kind === "number") good = readNumber(part, words, at + part.plan.word, reader);
      else good = readChanged(part.plan, words, at, base, baseAt, reader);
      if (!good) return false;
    }
    return !reader.failed;
  }
}

/**
 * Writes plain values, rounded and clamped as declared, as the difference to `previous` (default: the neutral input), and
 * returns how many bits it took: 1 for an input that is as the previous one. Allocates: a message uses `InputCodec`.
 */
export function compressInput<F extends Fields>(
  definition: InputDefinition<F>,
  input: Partial<Values<F>>,
  previous: Partial<Values<F>> | undefined,
  writer: BitWriter,
): number {
  const words = new Int32Array(definition.wordCount);
  const base = new Int32Array(definition.wordCount);
  valuesToWords(definition, input, words);
  valuesToWords(definition, previous ?? {}, base);
  const before = writer.bitLength;
  new InputCodec(definition).write(words, 0, base, 0, writer);
  return writer.bitLength - before;
}

/** The input that `compressInput` wrote against the same `previous`; `undefined` when the bits are none. Never throws. */
export function decompressInput<F extends Fields>(
  definition: InputDefinition<F>,
  previous: Partial<Values<F>> | undefined,
  reader: BitReader,
): Values<F> | undefined {
  const words = new Int32Array(definition.wordCount);
  const base = new Int32Array(definition.wordCount);
  valuesToWords(definition, previous ?? {}, base);
  return new InputCodec(definition).read(words, 0, base, 0, reader) ? wordsToValues(definition, words) : undefined;
}

function planParts(plans: readonly LeafPlan[]): Part[] {
  const parts: Part[] = [];
  const switches = plans.filter((plan) => plan.isFlag);
  for (let i = 0; i < switches.length; i += SWITCHES_AT_ONCE) {
    const words = switches.slice(i, i + SWITCHES_AT_ONCE).map((plan) => plan.word);
    parts.push({ kind: "switches", words, placeBits: 32 - Math.clz32(words.length - 1) });
  }
  for (const plan of plans) {
    if (plan.isFlag) continue;
    const kind = plan.type === RANGE || plan.type === WRAP ? "number" : "other";
    const widths = [Math.ceil(plan.bits / 4), plan.bits >> 1, Math.floor((plan.bits * 2) / 3)];
    const [first, second, third] = widths.map((width) => 1 << width);
    const below = [0, first, first + second, first + second + third];
    parts.push({ kind, plan, widths, below });
  }
  return parts;
}

/** One bit for each switch that has changed. */
function flipped(
  { words: places }: SwitchPart,
  words: Int32Array,
  at: number,
  base: Int32Array,
  baseAt: number,
): number {
  let mask = 0;
  for (let i = 0; i < places.length; i++) mask |= (words[at + places[i]] ^ base[baseAt + places[i]]) << i;
  return mask;
}

function differs({ plan }: LeafPart, words: Int32Array, at: number, base: Int32Array, baseAt: number): 0 | 1 {
  return sameWords(words, at + plan.word, base, baseAt + plan.word, plan.wordCount) ? 0 : 1;
}

function writeSwitches(part: SwitchPart, mask: number, writer: BitWriter): void {
  const count = part.words.length;
  if (count === 1) return;
  if ((mask & (mask - 1)) === 0) writer.bits(1 | ((31 - Math.clz32(mask)) << 1), 1 + part.placeBits);
  else writer.bits(mask << 1, 1 + count);
}

function readSwitches(part: SwitchPart, words: Int32Array, at: number, reader: BitReader): boolean {
  const places = part.words;
  if (places.length > 1 && reader.bits(1) === 0) {
    const mask = reader.bits(places.length);
    for (let i = 0; i < places.length; i++) words[at + places[i]] ^= (mask >>> i) & 1;
    return true;
  }
  const place = places.length > 1 ? reader.bits(part.placeBits) : 0;
  if (place >= places.length) return false;
  words[at + places[place]] ^= 1;
  return true;
}

function writeNumber({ plan, widths, below }: LeafPart, word: number, old: number, writer: BitWriter): void {
  const { bits } = plan;
  if (bits <= WHOLE_BITS) return writer.bits(word, bits);
  const change = distanceTo(plan, word, old);
  const code = zigzag(change) - 1;
  for (let size = 0; size < 3; size++) {
    if (code >= below[size + 1] || code < 0) continue;
    writer.bits(size, 2);
    return writer.bits(code - below[size], widths[size]);
  }
  writer.bits(3, 2);
  writer.bits(word, bits);
}

function readNumber({ plan, widths, below }: LeafPart, words: Int32Array, at: number, reader: BitReader): boolean {
  const { bits, max } = plan;
  const size = bits <= WHOLE_BITS ? 3 : reader.bits(2);
  if (size === 3) {
    words[at] = reader.bits(bits);
    return words[at] <= max;
  }
  const code = reader.bits(widths[size]) + below[size] + 1;
  const word = words[at] + unzigzag(code);
  words[at] = plan.type === WRAP ? word & max : word;
  return plan.type === WRAP || (word >= 0 && word <= max);
}

const SWITCHES_AT_ONCE = 24;
/** Numbers up to this size have no size code. */
const WHOLE_BITS = 4;
