import type { LeafPlan } from "../fields/leaf-plan.ts";

/**
 * Where a rotation is expected, from the two records before: turned on as it turned between them. Everything is
 * additions, products, quotients and square roots of doubles, which are the same on every machine.
 */
export class ExpectedRotation {
  /** Which component should be largest. */
  largest = 0;
  /** The four components, of length 1. */
  readonly #value = new Float64Array(4);
  readonly #older = new Float64Array(4);

  /** `ratio`: how many times as far it turns on. 0: it stays as in `base`, and `older` is not looked at. */
  expect(plan: LeafPlan, base: Int32Array, baseAt: number, older: Int32Array, olderAt: number, ratio: number): void {
    const value = this.#value;
    decode(plan, base, baseAt + plan.word, value);
    this.largest = base[baseAt + plan.word];
    if (ratio === 0) return;
    const before = this.#older;
    decode(plan, older, olderAt + plan.word, before);
    let dot = 0;
    for (let i = 0; i < 4; i++) dot += value[i] * before[i];
    const sign = dot < 0 ? -1 : 1;
    let squared = 0;
    for (let i = 0; i < 4; i++) {
      value[i] += (value[i] - sign * before[i]) * ratio;
      squared += value[i] * value[i];
    }
    const length = Math.sqrt(squared);
    for (let i = 0; i < 4; i++) value[i] /= length;
    for (let i = 0; i < 4; i++) if (Math.abs(value[i]) > Math.abs(value[this.largest])) this.largest = i;
  }

  /** The word of component `i` when `largest` is the one that is not sent. */
  word(plan: LeafPlan, i: number, largest: number): number {
    const { step } = plan.entry.leaf;
    const sign = this.#value[largest] < 0 ? -1 : 1;
    const word = Math.floor((this.#value[i] * sign) / step + 0.5) + plan.max / 2;
    return word > 0 ? (word < plan.max ? word : plan.max) : 0;
  }
}

function decode(plan: LeafPlan, words: Int32Array, at: number, value: Float64Array): void {
  const center = plan.max / 2;
  const { step } = plan.entry.leaf;
  const largest = words[at] & 3;
  let sum = 0;
  let word = at + 1;
  for (let i = 0; i < 4; i++) {
    if (i === largest) continue;
    const component = (words[word++] - center) * step;
    value[i] = component;
    sum += component * component;
  }
  value[largest] = Math.sqrt(sum < 1 ? 1 - sum : 0);
}
