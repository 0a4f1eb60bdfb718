/**
 * For each place of a history, a box around everywhere its entities were in the kept ticks: whatever two ticks of one
 * life are mixed, the mix is in it. It grows with each tick, and every few ticks is computed anew from the ring, so that
 * it is never much larger than it must be.
 */
import { NOBODY } from "./snapshot-history.ts";
import type { SnapshotHistory } from "./snapshot-history.ts";

/** Six numbers for each box: the least x, y, z and the largest. */
export const BOX_NUMBERS = 6;
/** Ticks after which a box is computed anew: a power of two. */
const RENEW_TICKS = 8;

export class SweptBounds {
  /** By place; an empty box (the least above the largest) where nobody was. */
  readonly boxes: Float32Array;
  /** Goes up whenever boxes change. */
  version = 0;
  readonly #history: SnapshotHistory;

  constructor(history: SnapshotHistory) {
    this.#history = history;
    this.boxes = new Float32Array(history.capacity * BOX_NUMBERS);
    this.clear();
  }

  get bytes(): number {
    return this.boxes.byteLength;
  }

  begin(): void {
    this.version++;
  }

  /** The entity at place `index` is at (x, y, z) in the newest tick, which is in the ring already. */
  add(index: number, x: number, y: number, z: number): void {
    if (this.#isDue(index)) this.#renew(index);
    else this.grow(index, x, y, z);
  }

  /** The box of a place reaches to here, too, until it is computed anew. */
  grow(index: number, x: number, y: number, z: number): void {
    const { boxes } = this;
    const at = index * BOX_NUMBERS;
    if (x < boxes[at]) boxes[at] = x;
    if (y < boxes[at + 1]) boxes[at + 1] = y;
    if (z < boxes[at + 2]) boxes[at + 2] = z;
    if (x > boxes[at + 3]) boxes[at + 3] = x;
    if (y > boxes[at + 4]) boxes[at + 4] = y;
    if (z > boxes[at + 5]) boxes[at + 5] = z;
  }

  /** Nobody is there in the newest tick. */
  skip(index: number): void {
    if (this.#isDue(index)) this.#renew(index);
  }

  clear(): void {
    this.version++;
    for (let at = 0; at < this.boxes.length; at += BOX_NUMBERS) this.#empty(at);
  }

  #isDue(index: number): boolean {
    return ((this.#history.newestTick + index) & (RENEW_TICKS - 1)) === 0;
  }

  #empty(at: number): void {
    this.boxes.fill(Infinity, at, at + 3);
    this.boxes.fill(-Infinity, at + 3, at + 6);
  }

  #renew(index: number): void {
    const { words, floats, stride, maxSnapshots } = this.#history;
    let minX = Infinity;
    let minY = Infinity;
    let minZ = Infinity;
    let maxX = -Infinity;
    let maxY = -Infinity;
    let maxZ = -Infinity;
    const end = (index + 1) * maxSnapshots * stride;
    for (let entry = index * maxSnapshots * stride; entry < end; entry += stride) {
      if (words[entry] === NOBODY) continue;
      const x = floats[entry + 1];
      const y = floats[entry + 2];
      const z = floats[entry + 3];
      if (x < minX) minX = x;
      if (x > maxX) maxX = x;
      if (y < minY) minY = y;
      if (y > maxY) maxY = y;
      if (z < minZ) minZ = z;
      if (z > maxZ) maxZ = z;
    }
    const { boxes } = this;
    const at = index * BOX_NUMBERS;
    boxes[at] = minX;
    boxes[at + 1] = minY;
    boxes[at + 2] = minZ;
    boxes[at + 3] = maxX;
    boxes[at + 4] = maxY;
    boxes[at + 5] = maxZ;
  }
}
