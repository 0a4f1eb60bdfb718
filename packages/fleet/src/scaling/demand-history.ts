/**
 * How many players a region had, by quarter hours of the last eight days, and what that says of the next minutes: that it will
 * grow from now on as it grew at this hour yesterday, and on the same day last week.
 */

/** Of a slot: its demand is the mean over it, and is taken as that of its middle. */
export const SLOT_MS = 900_000;
const DAY_SLOTS = 96;
const WEEK_SLOTS = 7 * DAY_SLOTS;
/** A week before something that is still to come must not be written over yet. */
const SLOTS = 8 * DAY_SLOTS;
/** A clock that was set back by more makes what is known worthless. */
const MAX_BACK_SLOTS = 4;
/** Of the days that are known. */
const YESTERDAY_WEIGHT = 1;
const LAST_WEEK_WEIGHT = 2;
/** Players now against players then: what grew then is taken to grow so many times as much, within these limits. */
const MAX_RATIO = 2;

interface HistoryText {
  readonly version: 1;
  /** Of the newest slot, counted from 1970. */
  readonly last: number;
  /** Of the oldest slot to the newest, -1: not known. */
  readonly means: readonly number[];
}

export class DemandHistory {
  /** By slot number, modulo their number; -1: not known. */
  readonly #means: Float32Array = new Float32Array(SLOTS).fill(-1);
  #last = -1;
  #sum = 0;
  #count = 0;

  /** `undefined` for what is no text of a history, or one of a time to come. */
  static fromText(text: string, unixMs: number): DemandHistory | undefined {
    const parsed = parse(text);
    if (parsed === undefined || parsed.last > slotOf(unixMs) + MAX_BACK_SLOTS) return undefined;
    const history = new DemandHistory();
    history.#last = parsed.last;
    for (const [i, mean] of parsed.means.entries())
      history.#means[(parsed.last - parsed.means.length + 1 + i) % SLOTS] = mean;
    const newest = history.#means[parsed.last % SLOTS];
    if (newest >= 0) [history.#sum, history.#count] = [newest, 1];
    return history;
  }

  /** At most 8 KiB. */
  toText(): string {
    const known = Math.min(SLOTS, this.#last + 1);
    const means = Array.from({ length: known }, (_, i) =>
      Math.round(this.#means[(this.#last - known + 1 + i) % SLOTS]),
    );
    const first = means.findIndex((mean) => mean >= 0);
    const text: HistoryText = { version: 1, last: this.#last, means: first < 0 ? [] : means.slice(first) };
    return JSON.stringify(text);
  }

  /** Players who play or are on their way. Call it regularly. */
  note(demand: number, unixMs: number): void {
    const slot = slotOf(unixMs);
    if (slot < this.#last - MAX_BACK_SLOTS) this.#forget();
    else if (slot < this.#last) return;
    if (slot !== this.#last) this.#begin(slot);
    this.#sum += demand;
    this.#count++;
    this.#means[slot % SLOTS] = this.#sum / this.#count;
  }

  /** The most players there will be at any moment from now until then; `demand` where nothing is known. */
  peak(demand: number, unixMs: number, untilMs: number): number {
    let peak = Math.max(demand, this.#expect(demand, unixMs, untilMs));
    for (let middle = middleOf(slotOf(unixMs) + 1); middle < untilMs; middle += SLOT_MS)
      peak = Math.max(peak, this.#expect(demand, unixMs, middle));
    return peak;
  }

  #expect(demand: number, unixMs: number, at: number): number {
    let sum = 0;
    let weights = 0;
    for (const [slots, weight] of SEASONS) {
      const then = this.#at(unixMs - slots * SLOT_MS);
      const later = this.#at(at - slots * SLOT_MS);
      if (then < 0 || later < 0) continue;
      const ratio = then > 0 ? Math.min(MAX_RATIO, Math.max(1 / MAX_RATIO, demand / then)) : 1;
      sum += weight * (later - then) * ratio;
      weights += weight;
    }
    return weights === 0 ? demand : Math.max(0, demand + sum / weights);
  }

  /** Between the middles of two slots; -1: not known. */
  #at(unixMs: number): number {
    const position = unixMs / SLOT_MS - 0.5;
    const slot = Math.floor(position);
    const [before, after] = [this.#meanOf(slot), this.#meanOf(slot + 1)];
    if (before < 0 || after < 0) return Math.max(before, after);
    return before + (after - before) * (position - slot);
  }

  #meanOf(slot: number): number {
    return slot > this.#last || slot <= this.#last - SLOTS || slot < 0 ? -1 : this.#means[slot % SLOTS];
  }

  #begin(slot: number): void {
    const skipped = this.#last < 0 ? SLOTS : Math.min(SLOTS, slot - this.#last);
    for (let i = 0; i < skipped; i++) this.#means[(slot - i) % SLOTS] = -1;
    this.#last = slot;
    this.#sum = 0;
    this.#count = 0;
  }

  #forget(): void {
    this.#means.fill(-1);
    this.#last = -1;
  }
}

const SEASONS: readonly (readonly [slots: number, weight: number])[] = [
  [DAY_SLOTS, YESTERDAY_WEIGHT],
  [WEEK_SLOTS, LAST_WEEK_WEIGHT],
];

function slotOf(unixMs: number): number {
  return Math.max(0, Math.floor(unixMs / SLOT_MS));
}

function middleOf(slot: number): number {
  return (slot + 0.5) * SLOT_MS;
}

function parse(text: string): HistoryText | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { version, last, means } = value as Partial<HistoryText>;
  const isFine =
    version === 1 &&
    Number.isSafeInteger(last) &&
    Array.isArray(means) &&
    means.length <= Math.min(SLOTS, last! + 1) &&
    means.every((mean) => typeof mean === "number" && mean >= -1 && mean < 1e9);
  return isFine ? (value as HistoryText) : undefined;
}
