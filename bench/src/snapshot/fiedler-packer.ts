import { BitWriter } from "@riposte/wire";
import { CUBES, Cube } from "./cubes.ts";

/**
 * The rival: Glenn Fiedler's packer as his article "Snapshot Compression" (2015) describes it. Against the baseline:
 * which cubes have changed (a bit each, or their indices relative to one another where that is shorter), and for each of
 * those a bit for `interacting`, position and rotation relative to the baseline's in few bits where they fit, whole
 * where not. Our own program after the article's description.
 *
 * With a second baseline it is the packer that his data compression challenge began with: positions relative to where
 * the last six frames' way, his scene's drag and its gravity would take the cube, in other ranges.
 */

/** Records of the data set: x, y, z, largest, a, b, c, interacting. */
const WORDS = Cube.wordCount;
const MAX_INDICES = 256;
const POSITION = { small: 16, large: 256, wholeBits: [15, 15, 13] } as const;
const ROTATION = { small: 16, large: 128, wholeBits: [9, 9, 9] } as const;
/** The challenge's: bits of three ranges that follow one another, and of a number that is in none. */
const NEAR_POSITION = { small: 15, ranges: [5, 6, 7], wholeBits: 11 } as const;
const NEAR_ROTATION = { small: 3, ranges: [4, 5, 7] } as const;
/** In levels: what gravity adds in six frames, where a cube on the ground is, and drag in six frames. */
const GRAVITY = 3;
const GROUND = 32 * 512 + 105;
const DRAG = 0.062;
/** Index gaps by size: largest gap of the class and the bits of its place in it; each class costs one more bit to name. */
const GAP_CLASSES = [
  { max: 1, bits: 0 },
  { max: 6, bits: 2 },
  { max: 14, bits: 3 },
  { max: 30, bits: 4 },
  { max: 62, bits: 5 },
  { max: 126, bits: 6 },
] as const;

export class FiedlerPacker {
  readonly #writer = new BitWriter();
  readonly #changed = new Uint8Array(CUBES);
  readonly #offsets = [0, 0, 0];

  /** Writes a frame against a baseline (and the baseline's own) and returns how many bits it took. */
  write(frame: Int32Array, base: Int32Array, buffer: Uint8Array, older?: Int32Array): number {
    const writer = this.#writer.reset(buffer);
    let count = 0;
    for (let i = 0; i < CUBES; i++) {
      let changed = 0;
      for (let word = i * WORDS; word < (i + 1) * WORDS; word++) if (frame[word] !== base[word]) changed = 1;
      this.#changed[i] = changed;
      count += changed;
    }
    const byIndex = count > 0 && count <= MAX_INDICES && this.#indexBits() <= CUBES;
    writer.bits(byIndex ? 1 : 0, 1);
    if (byIndex) writer.bits(count - 1, 8);
    let previous = -1;
    for (let i = 0; i < CUBES; i++) {
      if (!byIndex) writer.bits(this.#changed[i], 1);
      if (this.#changed[i] === 0) continue;
      if (byIndex) this.#writeIndex(previous, i);
      previous = i;
      if (older === undefined) this.#writeCube(frame, base, i * WORDS);
      else this.#writePredictedCube(frame, base, older, i * WORDS);
    }
    if (writer.failed) throw new Error("the frame does not fit the buffer");
    return writer.bitLength;
  }

  #indexBits(): number {
    let bits = 8;
    let previous = -1;
    for (let i = 0; i < CUBES; i++) {
      if (this.#changed[i] === 0) continue;
      bits += previous < 0 ? 10 : gapBits(i - previous);
      previous = i;
    }
    return bits;
  }

  #writeIndex(previous: number, index: number): void {
    const writer = this.#writer;
    if (previous < 0) return writer.bits(index, 10);
    const gap = index - previous;
    let from = 1;
    for (const { max, bits } of GAP_CLASSES) {
      writer.bits(gap <= max ? 1 : 0, 1);
      if (gap <= max) return writer.bits(gap - from, bits);
      from = max + 1;
    }
    writer.bits(gap - from, 10);
  }

  #writeCube(frame: Int32Array, base: Int32Array, at: number): void {
    const writer = this.#writer;
    writer.bits(frame[at + 7], 1);
    const moved = differs(frame, base, at, 3);
    const turned = differs(frame, base, at + 3, 4);
    writer.bits(moved ? 1 : 0, 1);
    writer.bits(turned ? 1 : 0, 1);
    if (moved && !this.#writeRelative(frame, base, at, true, POSITION)) this.#writeWhole(frame, at, POSITION);
    if (!turned) return;
    const sameLargest = frame[at + 3] === base[at + 3];
    if (this.#writeRelative(frame, base, at + 4, sameLargest, ROTATION)) return;
    writer.bits(frame[at + 3], 2);
    this.#writeWhole(frame, at + 4, ROTATION);
  }

  #writePredictedCube(frame: Int32Array, base: Int32Array, older: Int32Array, at: number): void {
    const writer = this.#writer;
    writer.bits(frame[at + 7], 1);
    const moved = differs(frame, base, at, 3);
    writer.bits(moved ? 1 : 0, 1);
    if (moved) {
      for (let i = 0; i < 3; i++) {
        const way = base[at + i] - older[at + i];
        const estimate = base[at + i] + way - Math.ceil(way * DRAG);
        this.#offsets[i] = zigzag(frame[at + i] - (i < 2 ? estimate : Math.max(estimate - GRAVITY, GROUND)));
      }
      const near = this.#isBelow(limitOf(NEAR_POSITION.ranges));
      const small = this.#isBelow(NEAR_POSITION.small + 1);
      writer.bits(small ? 1 : 0, 1);
      if (!small) writer.bits(near ? 0 : 1, 1);
      for (const offset of this.#offsets) {
        if (small) writer.bits(offset, 4);
        else if (near) this.#writeRange(offset, NEAR_POSITION.ranges);
        else writer.bits(offset, NEAR_POSITION.wholeBits);
        if (offset >= 2 ** NEAR_POSITION.wholeBits) throw new Error(`an offset of ${offset} does not fit`);
      }
    }
    for (let i = 0; i < 3; i++) this.#offsets[i] = zigzag(frame[at + 4 + i] - base[at + 4 + i]);
    const relative = frame[at + 3] === base[at + 3] && this.#isBelow(limitOf(NEAR_ROTATION.ranges));
    writer.bits(relative ? 1 : 0, 1);
    if (!relative) {
      writer.bits(frame[at + 3], 2);
      return this.#writeWhole(frame, at + 4, ROTATION);
    }
    const small = this.#isBelow(NEAR_ROTATION.small + 1);
    writer.bits(small ? 1 : 0, 1);
    for (const offset of this.#offsets) {
      if (small) writer.bits(offset, 2);
      else this.#writeRange(offset, NEAR_ROTATION.ranges);
    }
  }

  #isBelow(limit: number): boolean {
    return this.#offsets.every((offset) => offset < limit);
  }

  /** In the first of the ranges that holds it. */
  #writeRange(value: number, ranges: readonly number[]): void {
    let from = 0;
    for (let i = 0; i < ranges.length - 1; i++) {
      const inside = value < from + 2 ** ranges[i];
      this.#writer.bits(inside ? 1 : 0, 1);
      if (inside) return this.#writer.bits(value - from, ranges[i]);
      from += 2 ** ranges[i];
    }
    this.#writer.bits(value - from, ranges[ranges.length - 1]);
  }

  /** False after the bit that says that one of the three does not fit. */
  #writeRelative(
    frame: Int32Array,
    base: Int32Array,
    at: number,
    allowed: boolean,
    { small, large }: { readonly small: number; readonly large: number },
  ): boolean {
    const writer = this.#writer;
    const most = large + small - 1;
    let fits = allowed;
    for (let i = at; i < at + 3; i++) fits &&= frame[i] - base[i] >= -most && frame[i] - base[i] < most;
    writer.bits(fits ? 1 : 0, 1);
    if (!fits) return false;
    for (let i = at; i < at + 3; i++) writer.bits(isSmall(frame[i] - base[i], small) ? 1 : 0, 1);
    for (let i = at; i < at + 3; i++) {
      const offset = frame[i] - base[i];
      if (isSmall(offset, small)) writer.bits(offset + small, 1 + Math.log2(small));
      else writer.bits((offset > 0 ? offset - (small - 1) : offset + (small - 1)) + large, 1 + Math.log2(large));
    }
    return true;
  }

  #writeWhole(frame: Int32Array, at: number, { wholeBits }: { readonly wholeBits: readonly number[] }): void {
    for (let i = 0; i < 3; i++) this.#writer.bits(frame[at + i], wholeBits[i]);
  }
}

function isSmall(offset: number, small: number): boolean {
  return offset >= -small && offset < small;
}

function gapBits(gap: number): number {
  for (const [i, { max, bits }] of GAP_CLASSES.entries()) if (gap <= max) return i + 1 + bits;
  return GAP_CLASSES.length + 10;
}

function differs(a: Int32Array, b: Int32Array, at: number, count: number): boolean {
  for (let i = at; i < at + count; i++) if (a[i] !== b[i]) return true;
  return false;
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

/** First value beyond all of these ranges. */
function limitOf(ranges: readonly number[]): number {
  return ranges.reduce((sum, bits) => sum + 2 ** bits, 0);
}
