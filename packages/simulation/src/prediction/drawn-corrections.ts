/**
 * What a player sees of the corrections of one table: where rows were before a correction is kept, and what they were
 * moved and turned by is taken back in the picture and fades. Rows that come into prediction or leave it, because they
 * are shared or another player's, are blended over in the same way.
 */
import type { AnyWorldTable } from "../game/world.ts";
import { hypot } from "../math/index.ts";
import type { Fields, StateTable } from "../state/index.ts";
import { CorrectionOffsets } from "./correction-offsets.ts";
import { RotationOffsets } from "./rotation-offsets.ts";

export interface SmoothingOptions {
  /** Of the drawn error; 0: corrections are drawn at once. */
  readonly smoothingHalfLifeMs: number;
  /** Farther than this, in world units, corrections are drawn at once. */
  readonly snapDistance: number;
  /** The same for angles and rotations, in radians. */
  readonly snapAngle: number;
}

export class DrawnCorrections {
  /** How far the picture of any row moved in this frame beyond what the simulation moved it, declared jumps aside. */
  visible = 0;
  readonly #table: AnyWorldTable;
  readonly #target: StateTable<Fields>;
  readonly #offsets: CorrectionOffsets;
  readonly #rotations: RotationOffsets;
  readonly #z: Float64Array | undefined;
  readonly #targetZ: Float64Array | undefined;
  /** Before a correction, of the first `#remembered` indices: id (-1: none), whether it was simulated, place, and the record if rows may jump. */
  readonly #ids: Int32Array;
  readonly #simulated: Uint8Array;
  readonly #beforeX: Float64Array;
  readonly #beforeY: Float64Array;
  readonly #beforeZ: Float64Array;
  readonly #words: Int32Array;
  #remembered = 0;
  /** 1: has left prediction, and is to be blended over to where it is drawn next. */
  readonly #left: Uint8Array;

  constructor(table: AnyWorldTable, target: StateTable<Fields>, options: SmoothingOptions) {
    const { capacity, wordCount } = table;
    this.#table = table;
    this.#target = target;
    this.#offsets = new CorrectionOffsets(capacity, options.smoothingHalfLifeMs, options.snapDistance);
    this.#rotations = new RotationOffsets(table, target, options.smoothingHalfLifeMs, options.snapAngle);
    this.#z = depth(table);
    this.#targetZ = depth(target);
    this.#ids = new Int32Array(capacity);
    this.#simulated = new Uint8Array(capacity);
    this.#beforeX = new Float64Array(capacity);
    this.#beforeY = new Float64Array(capacity);
    this.#beforeZ = new Float64Array(capacity);
    this.#words = new Int32Array(table.mayJump ? capacity * wordCount : 0);
    this.#left = new Uint8Array(capacity);
  }

  /** Another session begins: what was off in the last one is no error of this one. */
  clear(): void {
    this.#offsets.clearAll();
    this.#rotations.clearAll();
    this.#left.fill(0);
    this.#remembered = 0;
    this.visible = 0;
  }

  /** Before a correction: notes where the rows are. */
  remember(): void {
    const table = this.#table;
    const { positionX, positionY, simulated, alive, highWater } = table;
    this.#remembered = highWater;
    for (let index = 0; index < highWater; index++) {
      this.#ids[index] = alive[index] === 1 ? table.idAt(index) : -1;
      this.#simulated[index] = simulated[index];
      this.#beforeX[index] = positionX?.[index] ?? 0;
      this.#beforeY[index] = positionY?.[index] ?? 0;
      this.#beforeZ[index] = this.#z?.[index] ?? 0;
      if (simulated[index] === 0) continue;
      this.#rotations.remember(index);
      if (table.mayJump) table.readWords(index, this.#words, index * table.wordCount);
    }
  }

  /** After it. Returns the farthest move of an entity of `seat`, declared jumps aside. */
  correct(seat: number): number {
    const { simulated, alive, owners, highWater } = this.#table;
    let farthest = 0;
    for (let index = 0; index < highWater; index++) {
      const before = alive[index] === 1 ? this.#placeBefore(index) : -1;
      this.#left[index] = before === index && simulated[index] === 0 && this.#simulated[before] === 1 ? 1 : 0;
      if (simulated[index] === 1 && before >= 0) {
        const moved = this.#correct(index, before);
        if (owners[index] === seat && moved > farthest) farthest = moved;
      } else if (before < 0) this.#clear(index);
    }
    return farthest;
  }

  /** A frame begins. */
  fade(elapsedMs: number): void {
    const moved = this.#offsets.fade(elapsedMs);
    if (moved > this.visible) this.visible = moved;
    this.#rotations.fade(elapsedMs);
  }

  /** Moves and turns what is drawn of a row. */
  apply(index: number): void {
    const { positionX, positionY } = this.#target;
    this.#rotations.apply(index);
    if (positionX === undefined || positionY === undefined) return;
    positionX[index] += this.#offsets.x(index);
    positionY[index] += this.#offsets.y(index);
    if (this.#targetZ !== undefined) this.#targetZ[index] += this.#offsets.z(index);
  }

  /** The same for a row that is not predicted: only what is left of the time when it was. */
  applyToRemote(index: number): void {
    const { positionX, positionY } = this.#target;
    if (positionX === undefined || positionY === undefined) return;
    if (this.#left[index] === 1) {
      this.#left[index] = 0;
      this.#rotations.clear(index);
      this.#move(
        index,
        positionX[index] - this.#beforeX[index],
        positionY[index] - this.#beforeY[index],
        (this.#targetZ?.[index] ?? 0) - this.#beforeZ[index],
        BLEND_SNAP_FACTOR,
      );
    }
    positionX[index] += this.#offsets.x(index);
    positionY[index] += this.#offsets.y(index);
    if (this.#targetZ !== undefined) this.#targetZ[index] += this.#offsets.z(index);
  }

  /** Where the row was before the correction: here, at the place of the spawn that it was, or nowhere (-1). */
  #placeBefore(index: number): number {
    if (index < this.#remembered && this.#ids[index] === this.#table.idAt(index)) return index;
    const origin = this.#table.spawns?.originOf(index) ?? -1;
    return origin >= 0 && origin < this.#remembered && this.#ids[origin] >= 0 ? origin : -1;
  }

  #correct(index: number, before: number): number {
    const table = this.#table;
    const { wordCount, positionX, positionY } = table;
    if (before !== index) this.#offsets.move(before, index);
    if (this.#simulated[before] === 1) {
      if (table.mayJump && table.jumps(this.#words, before * wordCount, table.words, index * wordCount)) {
        this.#clear(index);
        return 0;
      }
      this.#rotations.correct(index, before);
    }
    if (positionX === undefined || positionY === undefined) return 0;
    const x = positionX[index] - this.#beforeX[before];
    const y = positionY[index] - this.#beforeY[before];
    const z = (this.#z?.[index] ?? 0) - this.#beforeZ[before];
    this.#move(index, x, y, z, this.#simulated[before] === 1 ? 1 : BLEND_SNAP_FACTOR);
    // What has just come into prediction was not wrong before.
    return this.#simulated[before] === 1 ? hypot(x, y, z) : 0;
  }

  #move(index: number, x: number, y: number, z: number, snapFactor: number): void {
    const snapped = this.#offsets.add(index, x, y, z, snapFactor);
    if (snapped > this.visible) this.visible = snapped;
  }

  #clear(index: number): void {
    this.#offsets.clear(index);
    this.#rotations.clear(index);
  }
}

/** From the past to the present and back is farther than a correction, and no surprise. */
const BLEND_SNAP_FACTOR = 4;

/** The third coordinate of a table whose position is a vec3. */
function depth(table: StateTable<Fields>): Float64Array | undefined {
  const { definition } = table;
  if (!("position" in definition) || !Array.isArray(definition.position) || definition.position.length !== 1)
    return undefined;
  const storage: unknown = table.columns[String(definition.position[0])];
  if (typeof storage !== "object" || storage === null || !("z" in storage)) return undefined;
  return storage.z instanceof Float64Array ? storage.z : undefined;
}
