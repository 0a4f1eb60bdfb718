/**
 * For each place of a history, a box around everywhere its entities were in the kept ticks: whatever two ticks of one
 * life are mixed, the mix is in it. It is put together from boxes of eight ticks each, so that it grows with each tick, and
 * is in every eighth made anew without those that nothing is kept of. So it reaches at most 15 ticks farther back.
 */
import type { SnapshotHistory } from "./snapshot-history.ts";

/** Six numbers for each box: the least x, y, z and the largest. */
export const BOX_NUMBERS = 6;
/** 2^3 ticks are a part. */
const PART_SHIFT = 3;
const PART_TICKS = 1 << PART_SHIFT;

export class SweptBounds {
  /** By place; an empty box (the least above the largest) where nobody was. */
  readonly boxes: Float32Array;
  /** Goes up whenever boxes change. */
  version = 0;
  readonly #history: SnapshotHistory;
  /** By place: a ring of boxes, of which one is growing. */
  readonly #parts: Float32Array;
  readonly #partCount: number;
  /** By place: where in `#parts` the growing one is. */
  readonly #growing: Int32Array;

  constructor(history: SnapshotHistory) {
    this.#history = history;
    this.boxes = new Float32Array(history.capacity * BOX_NUMBERS);
    this.#partCount = partsOf(history.maxSnapshots);
    this.#parts = new Float32Array(this.boxes.length * this.#partCount);
    this.#growing = new Int32Array(history.capacity);
    this.clear();
  }

  get bytes(): number {
    return this.boxes.byteLength + this.#parts.byteLength + this.#growing.byteLength;
  }

  begin(): void {
    this.version++;
  }

  /** The entity at place `index` is at (x, y, z) in the newest tick. */
  add(index: number, x: number, y: number, z: number): void {
    if (this.#isDue(index)) this.#renew(index);
    grow(this.#parts, this.#growing[index], x, y, z);
    grow(this.boxes, index * BOX_NUMBERS, x, y, z);
  }

  /** The box of a place reaches to here, too, until it is made anew. */
  grow(index: number, x: number, y: number, z: number): void {
    grow(this.boxes, index * BOX_NUMBERS, x, y, z);
  }

  /** Nobody is there in the newest tick. */
  skip(index: number): void {
    if (this.#isDue(index)) this.#renew(index);
  }

  clear(): void {
    this.version++;
    empty(this.boxes, 0, this.boxes.length);
    empty(this.#parts, 0, this.#parts.length);
    for (let index = 0; index < this.#growing.length; index++)
      this.#growing[index] = index * this.#partCount * BOX_NUMBERS;
  }

  /** Places take turns. */
  #isDue(index: number): boolean {
    return ((this.#history.newestTick + index) & (PART_TICKS - 1)) === 0;
  }

  /** The oldest part becomes the growing one, and the box what all the others are in. */
  #renew(index: number): void {
    const parts = this.#parts;
    const first = index * this.#partCount * BOX_NUMBERS;
    const end = first + this.#partCount * BOX_NUMBERS;
    const next = this.#growing[index] + BOX_NUMBERS;
    this.#growing[index] = next < end ? next : first;
    empty(parts, this.#growing[index], this.#growing[index] + BOX_NUMBERS);
    let minX = Infinity;
    let minY = Infinity;
    let minZ = Infinity;
    let maxX = -Infinity;
    let maxY = -Infinity;
    let maxZ = -Infinity;
    for (let at = first; at < end; at += BOX_NUMBERS) {
      if (parts[at] < minX) minX = parts[at];
      if (parts[at + 1] < minY) minY = parts[at + 1];
      if (parts[at + 2] < minZ) minZ = parts[at + 2];
      if (parts[at + 3] > maxX) maxX = parts[at + 3];
      if (parts[at + 4] > maxY) maxY = parts[at + 4];
      if (parts[at + 5] > maxZ) maxZ = parts[at + 5];
    }
    const { boxes } = this;
    const to = index * BOX_NUMBERS;
    boxes[to] = minX;
    boxes[to + 1] = minY;
    boxes[to + 2] = minZ;
    boxes[to + 3] = maxX;
    boxes[to + 4] = maxY;
    boxes[to + 5] = maxZ;
  }
}

function grow(boxes: Float32Array, at: number, x: number, y: number, z: number): void {
  if (x < boxes[at]) boxes[at] = x;
  if (y < boxes[at + 1]) boxes[at + 1] = y;
  if (z < boxes[at + 2]) boxes[at + 2] = z;
  if (x > boxes[at + 3]) boxes[at + 3] = x;
  if (y > boxes[at + 4]) boxes[at + 4] = y;
  if (z > boxes[at + 5]) boxes[at + 5] = z;
}

function empty(boxes: Float32Array, from: number, to: number): void {
  for (let at = from; at < to; at += BOX_NUMBERS) {
    boxes[at] = boxes[at + 1] = boxes[at + 2] = Infinity;
    boxes[at + 3] = boxes[at + 4] = boxes[at + 5] = -Infinity;
  }
}

/** Boxes that so many ticks are put together from. */
function partsOf(ticks: number): number {
  return Math.ceil((ticks - 1) / PART_TICKS) + 1;
}

/** Memory of the boxes of so many places over so many ticks. */
export function boundsBytes(capacity: number, ticks: number): number {
  return capacity * (BOX_NUMBERS * 4 * (1 + partsOf(ticks)) + 4);
}
