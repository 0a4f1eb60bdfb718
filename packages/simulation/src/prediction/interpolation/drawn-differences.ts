/**
 * Keeps what is drawn from leaping when the past turns out to have been different: a late update came after an entity had
 * been carried on by its velocity, or the mode was changed. The difference between what was drawn and what would be drawn
 * now of the same moment is added to the picture, and fades away.
 */
import { halved } from "../../math/half-life.ts";
import { multiplyTurns, wrapAngle } from "../../math/rotation.ts";
import type { Fields, Quaternion, StateTable } from "../../state/index.ts";
import { numberArrays } from "./record-blend.ts";

export class DrawnDifferences {
  readonly #halfLifeMs: number;
  readonly #snapDistance: number;
  readonly #table: StateTable<Fields>;
  /** Columns that are blended: lines, angles, and the four parts of rotations. */
  readonly #lines: Float64Array[] = [];
  readonly #angles: Float64Array[] = [];
  readonly #turns: (readonly Float64Array[])[] = [];
  readonly #columns: readonly Float64Array[];
  /** What was drawn of the row that is being compared. */
  readonly #shown: Float64Array;
  /** By row, in the order of the columns: differences, which are to be added times the row's weight. */
  #kept: Float64Array = new Float64Array(0);
  readonly #weights: Float64Array;
  readonly #a: Quaternion = { x: 0, y: 0, z: 0, w: 1 };
  readonly #b: Quaternion = { x: 0, y: 0, z: 0, w: 1 };

  /** `table`: what is drawn. Positions that are farther off than `snapDistance` are shown at once. */
  constructor(table: StateTable<Fields>, halfLifeMs: number, snapDistance: number) {
    this.#table = table;
    this.#halfLifeMs = halfLifeMs;
    this.#snapDistance = snapDistance;
    for (const { name, field } of table.definition.entries) {
      const arrays = numberArrays(table.columns[name]);
      const { blend } = field.attributes;
      if (blend === "step") continue;
      if (field.kind === "quaternion") this.#turns.push(arrays);
      else (field.kind === "angle" && blend === "angle" ? this.#angles : this.#lines).push(...arrays);
    }
    this.#columns = [...this.#lines, ...this.#angles, ...this.#turns.flat()];
    this.#shown = new Float64Array(this.#columns.length);
    this.#weights = new Float64Array(table.capacity);
  }

  clear(index: number): void {
    this.#weights[index] = 0;
  }

  /** Notes what is drawn of a row, before it is blended anew. */
  note(index: number): void {
    for (let i = 0; i < this.#columns.length; i++) this.#shown[i] = this.#columns[i][index];
  }

  /** Keeps the difference to the noted picture, now that the same moment was blended anew. */
  keep(index: number): void {
    const size = this.#columns.length;
    if (this.#kept.length < (index + 1) * size) this.#grow(index + 1);
    const kept = this.#kept;
    const shown = this.#shown;
    const base = index * size;
    let at = 0;
    for (let i = 0; i < this.#lines.length; i++, at++) kept[base + at] = shown[at] - this.#lines[i][index];
    for (let i = 0; i < this.#angles.length; i++, at++) kept[base + at] = wrapAngle(shown[at] - this.#angles[i][index]);
    for (let i = 0; i < this.#turns.length; i++, at += 4) {
      const now = read(this.#turns[i], index, this.#b);
      now.x = -now.x;
      now.y = -now.y;
      now.z = -now.z;
      const then = this.#a;
      then.x = shown[at];
      then.y = shown[at + 1];
      then.z = shown[at + 2];
      then.w = shown[at + 3];
      multiplyTurns(then, now, then);
      const sign = then.w < 0 ? -1 : 1;
      kept[base + at] = then.x * sign;
      kept[base + at + 1] = then.y * sign;
      kept[base + at + 2] = then.z * sign;
      kept[base + at + 3] = then.w * sign;
    }
    this.#weights[index] = this.#isFar(index) ? 0 : 1;
  }

  /** Adds what is left of the row's difference after `elapsedMs` to its blended columns. */
  apply(index: number, elapsedMs: number): void {
    let weight = this.#weights[index];
    if (weight === 0) return;
    weight *= this.#halfLifeMs > 0 ? halved(elapsedMs / this.#halfLifeMs) : 0;
    if (weight < GONE) weight = 0;
    this.#weights[index] = weight;
    const kept = this.#kept;
    let at = index * this.#columns.length;
    for (let i = 0; i < this.#lines.length; i++) this.#lines[i][index] += kept[at++] * weight;
    for (let i = 0; i < this.#angles.length; i++) this.#angles[i][index] += kept[at++] * weight;
    for (let i = 0; i < this.#turns.length; i++, at += 4) {
      const parts = this.#turns[i];
      const turn = this.#a;
      turn.x = kept[at] * weight;
      turn.y = kept[at + 1] * weight;
      turn.z = kept[at + 2] * weight;
      turn.w = 1 - weight + kept[at + 3] * weight;
      multiplyTurns(turn, read(parts, index, this.#b), turn);
      const length = Math.sqrt(turn.x * turn.x + turn.y * turn.y + turn.z * turn.z + turn.w * turn.w);
      parts[0][index] = turn.x / length;
      parts[1][index] = turn.y / length;
      parts[2][index] = turn.z / length;
      parts[3][index] = turn.w / length;
    }
  }

  #isFar(index: number): boolean {
    const { positionX, positionY } = this.#table;
    if (positionX === undefined || positionY === undefined) return false;
    const base = index * this.#columns.length;
    let squared = 0;
    for (let i = 0; i < this.#lines.length; i++) {
      const kept = this.#kept[base + i];
      if (this.#lines[i] === positionX || this.#lines[i] === positionY) squared += kept * kept;
    }
    return squared > this.#snapDistance * this.#snapDistance;
  }

  #grow(rows: number): void {
    const kept = new Float64Array(Math.min(this.#table.capacity, Math.max(rows * 2, 16)) * this.#columns.length);
    kept.set(this.#kept);
    this.#kept = kept;
  }
}

function read(parts: readonly Float64Array[], index: number, out: Quaternion): Quaternion {
  out.x = parts[0][index];
  out.y = parts[1][index];
  out.z = parts[2][index];
  out.w = parts[3][index];
  return out;
}

/** What is left of a difference after ten half-lives is not seen. */
const GONE = 0.001;
