/**
 * Corrections of angles and rotations for drawing, as `CorrectionOffsets` are of positions: what a replay turned a field
 * by is taken back along the shorter arc and fades. Beyond the snap angle it is shown at once.
 */
import { halved } from "../math/half-life.ts";
import { acos } from "../math/index.ts";
import type { Fields, StateTable } from "../state/index.ts";

type Numbers = Float64Array | Int32Array;

/** The predicted angles and rotations of a table: each takes 1 or 4 numbers of `width`. */
interface Turned {
  readonly at: number;
  /** Of the simulated table and of the drawn one; 1: an angle, 4: a quaternion. */
  readonly from: readonly Numbers[];
  readonly to: readonly Numbers[];
}

export class RotationOffsets {
  readonly #turned: readonly Turned[];
  readonly #width: number;
  readonly #before: Float64Array;
  /** Offsets of angles; of a quaternion, how much its components are to be off. */
  readonly #offsets: Float64Array;
  readonly #halfLifeMs: number;
  readonly #snapAngle: number;
  #end = 0;

  /** `halfLifeMs` 0: nothing is kept; `snapAngle` in radians. */
  constructor(table: StateTable<Fields>, target: StateTable<Fields>, halfLifeMs: number, snapAngle: number) {
    const turned: Turned[] = [];
    let at = 0;
    for (const { name, field } of table.definition.entries) {
      if (field.attributes.blend === "step" || !field.attributes.predicted) continue;
      const from = turnedNumbers(field.kind, table.columns[name]);
      const to = turnedNumbers(field.kind, target.columns[name]);
      if (from.length === 0) continue;
      turned.push({ at, from, to });
      at += from.length;
    }
    this.#turned = turned;
    this.#width = at;
    this.#before = new Float64Array(at * table.capacity);
    this.#offsets = new Float64Array(at * table.capacity);
    this.#halfLifeMs = halfLifeMs;
    this.#snapAngle = snapAngle;
  }

  /** Before a correction. */
  remember(index: number): void {
    for (let i = 0; i < this.#turned.length; i++) {
      const { at, from } = this.#turned[i];
      const place = index * this.#width + at;
      for (let part = 0; part < from.length; part++) this.#before[place + part] = from[part][index];
    }
  }

  /** After it; the row was at index `before`. */
  correct(index: number, before: number): void {
    if (index !== before) this.#move(before, index);
    for (let i = 0; i < this.#turned.length; i++) {
      const { at, from } = this.#turned[i];
      const was = before * this.#width + at;
      const place = index * this.#width + at;
      if (from.length === 1) {
        const offset = shorter(this.#offsets[place] + this.#before[was] - from[0][index]);
        this.#offsets[place] = Math.abs(offset) > this.#snapAngle ? 0 : offset;
      } else this.#correctQuaternion(from, index, was, place);
    }
    if (this.#width > 0 && index >= this.#end) this.#end = index + 1;
  }

  fade(elapsedMs: number): void {
    if (this.#end === 0) return;
    const factor = this.#halfLifeMs > 0 ? halved(elapsedMs / this.#halfLifeMs) : 0;
    let end = 0;
    for (let i = 0; i < this.#end * this.#width; i++) {
      this.#offsets[i] *= factor;
      if (Math.abs(this.#offsets[i]) < 1e-5) this.#offsets[i] = 0;
      else end = Math.floor(i / this.#width) + 1;
    }
    this.#end = end;
  }

  clearAll(): void {
    this.#offsets.fill(0);
    this.#end = 0;
  }

  clear(index: number): void {
    this.#offsets.fill(0, index * this.#width, (index + 1) * this.#width);
  }

  /** Turns what is drawn. */
  apply(index: number): void {
    if (index >= this.#end) return;
    for (let i = 0; i < this.#turned.length; i++) {
      const { at, to } = this.#turned[i];
      const place = index * this.#width + at;
      if (to.length === 1) {
        if (this.#offsets[place] !== 0) to[0][index] = positive(to[0][index] + this.#offsets[place]);
        continue;
      }
      let square = 0;
      for (let part = 0; part < 4; part++) {
        to[part][index] += this.#offsets[place + part];
        square += to[part][index] * to[part][index];
      }
      for (let part = 0; part < 4; part++) to[part][index] /= Math.sqrt(square);
    }
  }

  #correctQuaternion(from: readonly Numbers[], index: number, was: number, place: number): void {
    // q and -q are the same rotation: the shorter arc is to the nearer one.
    let dot = 0;
    for (let part = 0; part < 4; part++)
      dot += (this.#before[was + part] + this.#offsets[place + part]) * from[part][index];
    const sign = dot < 0 ? -1 : 1;
    const far = 2 * acos(Math.min(1, Math.abs(dot))) > this.#snapAngle;
    for (let part = 0; part < 4; part++) {
      const drawn = sign * (this.#before[was + part] + this.#offsets[place + part]);
      this.#offsets[place + part] = far ? 0 : drawn - from[part][index];
    }
  }

  #move(from: number, to: number): void {
    this.#offsets.copyWithin(to * this.#width, from * this.#width, (from + 1) * this.#width);
    this.clear(from);
  }
}

function turnedNumbers(kind: string, storage: unknown): readonly Numbers[] {
  if (kind === "angle") return isNumbers(storage) ? [storage] : [];
  if (kind !== "quaternion" || typeof storage !== "object" || storage === null) return [];
  if (!("x" in storage && "y" in storage && "z" in storage && "w" in storage)) return [];
  return [storage.x, storage.y, storage.z, storage.w].filter(isNumbers);
}

function isNumbers(storage: unknown): storage is Numbers {
  return storage instanceof Float64Array || storage instanceof Int32Array;
}

/** The same angle from -pi to pi. */
function shorter(angle: number): number {
  return angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI));
}

/** The same angle from 0 to 2 pi. */
function positive(angle: number): number {
  return angle - 2 * Math.PI * Math.floor(angle / (2 * Math.PI));
}
