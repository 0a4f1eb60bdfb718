/**
 * Makes the picture of one row from settled records, in any mode: by a client from what it has received, and by a server
 * from what it has kept, with the same result.
 */
import type { Fields, Leaf, StateTable } from "../../state/index.ts";
import { f32Value } from "../../state/fields/f32-word.ts";
import { createCurvePoints, drawnAt } from "./curve.ts";
import type { CurvePoints } from "./curve.ts";
import type { InterpolationMode } from "./interpolation-mode.ts";

/**
 * Where a picture lies among the updates of an entity. Records are given by where they begin in one array of words, -1 for
 * one that is not known.
 */
export interface StateSample {
  /** The records to mix, and in what share: 0 is all `from`; above 1 it is extrapolated beyond `to`. */
  from: number;
  to: number;
  fraction: number;
  /** Ticks from `from` to `to`; 0 when they are the same. */
  spanTicks: number;
  /** How many ticks `to` is carried on: see `extrapolatedTicks`. 0 between two updates. */
  beyondTicks: number;
  /** The two updates before `from`, for estimates of speed, and the ticks from each to the next. */
  earlier: number;
  earlierTicks: number;
  earliest: number;
  earliestTicks: number;
}

/** A sample for a caller to keep and have filled in. */
export function emptySample(): StateSample {
  return {
    from: 0,
    to: 0,
    fraction: 0,
    spanTicks: 0,
    beyondTicks: 0,
    earlier: -1,
    earlierTicks: 0,
    earliest: -1,
    earliestTicks: 0,
  };
}

export class RecordBlend {
  readonly #table: StateTable<Fields>;
  readonly #secondsPerTick: number;
  readonly #curves: readonly Curve[];
  readonly #points: CurvePoints = createCurvePoints();

  /** `table`: whose rows are written. */
  constructor(table: StateTable<Fields>, tickRate: number) {
    this.#table = table;
    this.#secondsPerTick = 1 / tickRate;
    this.#curves = curvesOf(table);
  }

  /**
   * Sets the columns of the row at `index` to the mix of records in `words` that `sample` says; its record stays what it
   * was. Nothing is mixed across a `teleport`.
   */
  blend(index: number, words: Int32Array, sample: Readonly<StateSample>, mode: InterpolationMode): void {
    const { from, to, fraction } = sample;
    const table = this.#table;
    if (mode === "none" || mode === "step") {
      const at = fraction < 1 ? from : to;
      table.blendWords(index, words, at, words, at, 0);
      return;
    }
    table.blendWords(index, words, from, words, to, fraction, mode !== "linear");
    if (this.#curves.length === 0 || mode === "linear" || mode === "spherical") return;
    if (table.mayJump && table.jumps(words, from, words, to)) return;
    const { earlier, earliest } = sample;
    const hasEarlier = this.#hasWay(words, earlier, from);
    const points = this.#points;
    points.spanTicks = sample.spanTicks;
    points.earlierTicks = hasEarlier ? sample.earlierTicks : 0;
    points.earliestTicks = hasEarlier && this.#hasWay(words, earliest, earlier) ? sample.earliestTicks : 0;
    for (let i = 0; i < this.#curves.length; i++) {
      const curve = this.#curves[i];
      this.#read(curve, words, sample);
      curve.storage[index] = drawnAt(points, fraction, sample.beyondTicks);
    }
  }

  #read(curve: Curve, words: Int32Array, sample: Readonly<StateSample>): void {
    const { from, to, earlier, earliest } = sample;
    const { speed } = curve;
    const points = this.#points;
    points.from = position(curve, words, from);
    points.to = position(curve, words, to);
    points.isTold = speed !== undefined;
    if (speed !== undefined) {
      points.leaving = valueOf(speed, words[from + speed.word]) * this.#secondsPerTick;
      points.arriving = valueOf(speed, words[to + speed.word]) * this.#secondsPerTick;
    } else {
      points.earlier = points.earlierTicks > 0 ? position(curve, words, earlier) : 0;
      points.earliest = points.earliestTicks > 0 ? position(curve, words, earliest) : 0;
    }
  }

  #hasWay(words: Int32Array, from: number, to: number): boolean {
    return from >= 0 && !(this.#table.mayJump && this.#table.jumps(words, from, words, to));
  }
}

/** One number of a field with a `velocity`. */
interface Curve {
  readonly storage: Float64Array;
  readonly leaf: Leaf;
  /** Where its speed is told; `undefined` where only the owner or the server knows it. */
  readonly speed: Leaf | undefined;
}

function position(curve: Curve, words: Int32Array, at: number): number {
  return valueOf(curve.leaf, words[at + curve.leaf.word]);
}

/** The number that a word of a number leaf stands for. */
function valueOf(leaf: Leaf, word: number): number {
  return leaf.type === "range" ? (word >>> 0) * leaf.step + leaf.origin : f32Value(word);
}

function curvesOf(table: StateTable<Fields>): Curve[] {
  const curves: Curve[] = [];
  const { definition } = table;
  for (const { name, field, word } of definition.entries) {
    const { velocity, blend } = field.attributes;
    if (velocity === undefined || blend !== "linear") continue;
    const speeds = definition.entry(velocity);
    const storages = numberArrays(table.columns[name]);
    for (let i = 0; i < storages.length; i++) {
      const leaf = field.leaves[i];
      const speed = speeds?.field.attributes.audience === "all" ? speeds.field.leaves[i] : undefined;
      curves.push({
        storage: storages[i],
        leaf: { ...leaf, word: leaf.word + word },
        speed: speed === undefined || speeds === undefined ? undefined : { ...speed, word: speed.word + speeds.word },
      });
    }
  }
  return curves;
}

/** The columns of doubles behind a number or vector field, one for each component; empty for anything else. */
export function numberArrays(storage: unknown): readonly Float64Array[] {
  if (storage instanceof Float64Array) return [storage];
  if (typeof storage !== "object" || storage === null || ArrayBuffer.isView(storage) || Array.isArray(storage))
    return [];
  const parts = Object.values(storage);
  return parts.every((part) => part instanceof Float64Array) ? parts : [];
}
