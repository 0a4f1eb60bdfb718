/**
 * Where the entities of one state were during the last ticks, and how their hitboxes stood: what shots are judged against.
 *
 * Rings by entity: a query looks at one entity at two moments, so one entity's ticks lie together. An entry is
 *
 *     word 0      id, generation included; -1 when nobody had this place
 *     words 1-3   x, y, z (32 bits each)
 *     word 4      rotation: an angle (32 bits), or a quaternion of 32 bits
 *     word 5      4 bits that count jumps, 16 bits of disabled hitboxes, 12 bits with the frame of a palette
 *     words 6...  for each axis with a told speed: that (32 bits)
 *     after that  with "posed" hitboxes, for each: an offset (3 x 16 bits, 1/1024) and a rotation (32 bits)
 *
 * Only that is kept, and nothing of it leaves the process, but what a receipt (`ReceiptDesk`) cuts out of it. What was removed stays until its ticks are overwritten.
 */
import { cos, sin } from "../../math/index.ts";
import { MAX_OFFSET, MAX_PALETTE } from "../hitboxes/hitbox-set.ts";
import type { HitboxPose, HitboxSet } from "../hitboxes/hitbox-set.ts";
import { packRotation, unpackRotation } from "./packed-rotation.ts";
import type { Rotation } from "./packed-rotation.ts";
import type { Vector3 } from "../hitboxes/vector.ts";
import { boundsBytes, SweptBounds } from "./swept-bounds.ts";

/**
 * How a coordinate is drawn from one update to the next: on a straight line, not at all until the next one, or, in the modes
 * that draw curves, by its speed, which is told (`setVelocity`) or estimated from the updates before.
 */
export type AxisPath = "line" | "step" | "told" | "estimated";

export interface SnapshotHistoryOptions {
  /** Places for entities: an entity's index is below it. */
  readonly capacity: number;
  readonly hitboxes: HitboxSet;
  readonly tickMs: number;
  /** How far back it reaches. Default 500 ms. */
  readonly windowMs?: number;
  /** Most ticks kept, whatever `windowMs` says. Default no limit. */
  readonly maxSnapshots?: number;
  /** Most memory, whatever the others say; at least two ticks are kept. Default no limit. */
  readonly maxBytes?: number;
  /** Whether word 4 is an angle about the z axis, or a quaternion. Default "angle". */
  readonly rotation?: "angle" | "quaternion";
  /** Of x, y and z. Default "line". A told speed takes 4 bytes more of each entry. */
  readonly paths?: readonly [x: AxisPath, y: AxisPath, z: AxisPath];
  /** Two entries are not blended that are farther apart than this: in space, or along each axis. Default Infinity. */
  readonly teleport?: number | readonly [x: number, y: number, z: number];
}

const ENTRY_WORDS = 6;
const JUMP_BITS = 0xf;
const DISABLED_SHIFT = 4;
const FRAME_SHIFT = 20;
const OFFSETS_PER_UNIT = 1024;
const OFFSET_STEP = 1 / OFFSETS_PER_UNIT;
/** A half, and 2^16 so that offsets become numbers above 0. */
const ROUNDED = 0x10000 + 0.5;

export class SnapshotHistory {
  readonly capacity: number;
  readonly hitboxes: HitboxSet;
  readonly rotation: "angle" | "quaternion";
  readonly paths: readonly [x: AxisPath, y: AxisPath, z: AxisPath];
  /** Whether any coordinate is drawn other than on a straight line. */
  readonly bends: boolean;
  readonly tickMs: number;
  /** Ticks a second, a whole number where `tickMs` comes from one. */
  readonly tickRate: number;
  /** Ticks kept. */
  readonly maxSnapshots: number;
  /** Memory taken, all of it from the beginning. */
  readonly bytes: number;
  /** Whole numbers of the entries, and the same memory as 32-bit floats. */
  readonly words: Int32Array;
  readonly floats: Float32Array;
  /** Words of an entry. */
  readonly stride: number;
  /** The newest recorded tick, -1 before the first, and the oldest that can be asked for. */
  newestTick = -1;
  oldestTick = 0;
  /** Places that may have an entry in the window: all others never had one. */
  usedPlaces = 0;
  readonly bounds: SweptBounds;
  readonly #halves: Int16Array;
  readonly #jumps: Uint8Array;
  /** Ring slots of the newest tick and of the oldest. */
  #slot = 0;
  /** The entry that was set last. */
  #entry = 0;
  /** Places of those that are looked at as they are now, and where their entries begin. */
  readonly livePlaces: Int32Array = new Int32Array(MAX_LIVE);
  liveCount = 0;
  readonly #firstLive: number;
  /** Words of an entry before the poses of its hitboxes. */
  readonly #plainWords: number;
  readonly teleport: number | readonly [x: number, y: number, z: number];
  readonly #mayLeap: boolean;
  #oldestSlot = 0;

  /** Throws `RangeError` for limits that cannot be. */
  constructor(options: SnapshotHistoryOptions) {
    const { capacity, hitboxes, tickMs, windowMs = 500, maxSnapshots = Infinity, maxBytes = Infinity } = options;
    for (const [name, value] of Object.entries({ capacity, tickMs, windowMs, maxSnapshots, maxBytes }))
      if (!(value > 0)) throw new RangeError(`history: ${name} ${value} must be above 0`);
    this.capacity = capacity;
    this.hitboxes = hitboxes;
    this.rotation = options.rotation ?? "angle";
    const { paths = ["line", "line", "line"], teleport = Infinity } = options;
    this.paths = paths;
    this.bends = paths.some((path) => path !== "line");
    this.tickMs = tickMs;
    this.tickRate = Math.round(1e9 / tickMs) / 1e6;
    this.teleport = teleport;
    this.#mayLeap = typeof teleport === "number" ? teleport < Infinity : teleport.some((limit) => limit < Infinity);
    const posedWords = hitboxes.pose === "posed" ? Math.ceil((hitboxes.count * POSED_BYTES) / 4) : 0;
    this.#plainWords = ENTRY_WORDS + paths.filter((path) => path === "told").length;
    this.stride = this.#plainWords + posedWords;
    const snapshotBytes = capacity * this.stride * 4;
    const liveBytes = MAX_LIVE * this.stride * 4;
    const wanted = Math.min(Math.ceil(windowMs / tickMs - 1e-9) + 1, maxSnapshots);
    const bytesOf = (ticks: number): number =>
      ticks * snapshotBytes + liveBytes + capacity + MAX_LIVE * 4 + boundsBytes(capacity, ticks);
    let ticks = Math.max(2, wanted);
    while (ticks > 2 && bytesOf(ticks) > maxBytes) ticks--;
    this.maxSnapshots = ticks;
    this.#firstLive = capacity * this.maxSnapshots * this.stride;
    this.words = new Int32Array(this.#firstLive + MAX_LIVE * this.stride);
    for (let entry = 0; entry < this.words.length; entry += this.stride) this.words[entry] = NOBODY;
    this.floats = new Float32Array(this.words.buffer);
    this.#halves = new Int16Array(this.words.buffer);
    this.#jumps = new Uint8Array(capacity);
    this.bounds = new SweptBounds(this);
    this.bytes = this.words.byteLength + this.#jumps.byteLength + this.livePlaces.byteLength + this.bounds.bytes;
  }

  /** Ticks that are kept now. */
  get snapshots(): number {
    return this.newestTick < 0 ? 0 : this.newestTick - this.oldestTick + 1;
  }

  /** Opens `tick` for recording. Ticks follow each other: after a gap everything before is forgotten. */
  begin(tick: number): void {
    if (this.newestTick >= 0 && tick !== this.newestTick + 1) this.clear();
    this.oldestTick = this.newestTick < 0 ? tick : Math.max(this.oldestTick, tick - this.maxSnapshots + 1);
    this.newestTick = tick;
    this.#slot = tick % this.maxSnapshots;
    this.#oldestSlot = this.oldestTick % this.maxSnapshots;
    this.bounds.begin();
  }

  /**
   * Records the entity `id` at place `index`: its position, its angle (or 0, and `setRotation`), and whether it has jumped
   * here since the tick before, across which nothing is blended. What is set next is of the same entity.
   */
  set(index: number, id: number, x: number, y: number, z: number, angle: number, jumped = false): void {
    const at = (index * this.maxSnapshots + this.#slot) * this.stride;
    const { words, floats } = this;
    if (jumped) this.#jumps[index] = (this.#jumps[index] + 1) & JUMP_BITS;
    words[at] = id;
    floats[at + 1] = x;
    floats[at + 2] = y;
    floats[at + 3] = z;
    floats[at + 4] = angle;
    words[at + 5] = this.#jumps[index];
    if (index >= this.usedPlaces) this.usedPlaces = index + 1;
    this.#entry = at;
    this.bounds.add(index, x, y, z);
  }

  /**
   * Until `clearLive`, the entity at place `index` is found here, whatever the history says: where it is now, while the tick
   * that follows the newest one is simulated. What is set next is of this. At most 64: the others are found in the history.
   */
  setLive(index: number, id: number, x: number, y: number, z: number, angle: number): boolean {
    if (this.liveCount === MAX_LIVE) return false;
    const at = this.#firstLive + this.liveCount * this.stride;
    this.livePlaces[this.liveCount++] = index;
    const { words, floats } = this;
    words[at] = id;
    floats[at + 1] = x;
    floats[at + 2] = y;
    floats[at + 3] = z;
    floats[at + 4] = angle;
    words[at + 5] = 0;
    this.#entry = at;
    this.bounds.grow(index, x, y, z);
    return true;
  }

  /** `setLive` with the entity as it was at a tick that is kept; false when it was not there then, or there is no room. */
  setLiveAt(index: number, id: number, tick: number): boolean {
    if (this.liveCount === MAX_LIVE || !(tick >= this.oldestTick && tick <= this.newestTick)) return false;
    const from = this.at(index, tick);
    if (this.words[from] !== id) return false;
    const at = this.#firstLive + this.liveCount * this.stride;
    this.livePlaces[this.liveCount++] = index;
    this.words.copyWithin(at, from, from + this.stride);
    return true;
  }

  clearLive(): void {
    this.liveCount = 0;
  }

  /** Where the live entry of a place is; -1 when it has none. */
  liveEntryOf(index: number): number {
    for (let i = 0; i < this.liveCount; i++) if (this.livePlaces[i] === index) return this.#firstLive + i * this.stride;
    return -1;
  }

  /** Nobody is at place `index` in the tick being recorded. */
  setNobody(index: number): void {
    if (index >= this.usedPlaces) return;
    this.words[(index * this.maxSnapshots + this.#slot) * this.stride] = NOBODY;
    this.bounds.skip(index);
  }

  /** With `rotation: "quaternion"`: a unit quaternion. */
  setRotation(x: number, y: number, z: number, w: number): void {
    this.words[this.#entry + 4] = packRotation(x, y, z, w);
  }

  /** Units per second; of the axes whose speeds are told. */
  setVelocity(x: number, y: number, z: number): void {
    const { floats, paths } = this;
    let at = this.#entry + ENTRY_WORDS;
    if (paths[0] === "told") floats[at++] = x;
    if (paths[1] === "told") floats[at++] = y;
    if (paths[2] === "told") floats[at] = z;
  }

  /** Bit i says that hitbox i cannot be hit. */
  setDisabled(mask: number): void {
    const at = this.#entry + 5;
    this.words[at] = (this.words[at] & ~(0xffff << DISABLED_SHIFT)) | ((mask & 0xffff) << DISABLED_SHIFT);
  }

  /** With a palette: the frame. Throws `RangeError` for one that there is not. */
  setFrame(frame: number): void {
    if (!(frame >= 0 && frame < this.hitboxes.frames)) throw new RangeError(`there is no frame ${frame}`);
    const at = this.#entry + 5;
    this.words[at] = (this.words[at] & ~((MAX_PALETTE - 1) << FRAME_SHIFT)) | (frame << FRAME_SHIFT);
  }

  /** With "posed" hitboxes, for every one of them: where it is. Throws `RangeError` for an offset above 31.9. */
  setPose(i: number, x: number, y: number, z: number, qx = 0, qy = 0, qz = 0, qw = 1): void {
    if (!(x * x + y * y + z * z <= MAX_OFFSET * MAX_OFFSET))
      throw new RangeError(`a hitbox may be moved by at most ${MAX_OFFSET}, got ${x}, ${y}, ${z}`);
    const at = (this.#entry + this.#plainWords) * 2 + i * (POSED_BYTES / 2);
    const halves = this.#halves;
    // Above 0 cutting is rounding down; the sum's lower 16 bits are the offset's.
    halves[at] = x * OFFSETS_PER_UNIT + ROUNDED;
    halves[at + 1] = y * OFFSETS_PER_UNIT + ROUNDED;
    halves[at + 2] = z * OFFSETS_PER_UNIT + ROUNDED;
    const packed = packRotation(qx, qy, qz, qw);
    halves[at + 3] = packed;
    halves[at + 4] = packed >> 16;
  }

  /** Where in `words` and `floats` the entry of a place at a tick is; the tick must be kept. */
  at(index: number, tick: number): number {
    let slot = this.#oldestSlot + tick - this.oldestTick;
    if (slot >= this.maxSnapshots) slot -= this.maxSnapshots;
    return (index * this.maxSnapshots + slot) * this.stride;
  }

  jumpsAt(entry: number): number {
    return this.words[entry + 5] & JUMP_BITS;
  }

  /** Whether nothing is blended between two entries of an entity. */
  jumped(from: number, to: number): boolean {
    const { words } = this;
    if (((words[from + 5] ^ words[to + 5]) & JUMP_BITS) !== 0) return true;
    return this.#mayLeap && this.#leapt(from, to);
  }

  #leapt(from: number, to: number): boolean {
    const { floats } = this;
    const limit = this.teleport;
    const x = floats[to + 1] - floats[from + 1];
    const y = floats[to + 2] - floats[from + 2];
    const z = floats[to + 3] - floats[from + 3];
    if (typeof limit === "number") return x * x + y * y + z * z > limit * limit;
    return Math.abs(x) > limit[0] || Math.abs(y) > limit[1] || Math.abs(z) > limit[2];
  }

  /** The told speed along an axis (0 to 2) at an entry, in units per second. */
  speedAt(entry: number, axis: number): number {
    let at = entry + ENTRY_WORDS;
    for (let before = 0; before < axis; before++) if (this.paths[before] === "told") at++;
    return this.floats[at];
  }

  disabledAt(entry: number): number {
    return (this.words[entry + 5] >>> DISABLED_SHIFT) & 0xffff;
  }

  frameAt(entry: number): number {
    return this.words[entry + 5] >>> FRAME_SHIFT;
  }

  /** The rotation of an entry, with "quaternion". */
  rotationAt(entry: number, out: Rotation): void {
    unpackRotation(this.words[entry + 4], out);
  }

  /** The offset of a "posed" hitbox, mixed between two entries. */
  mixOffsets(from: number, to: number, fraction: number, i: number, out: Vector3): void {
    const halves = this.#halves;
    const a = (from + this.#plainWords) * 2 + i * (POSED_BYTES / 2);
    const b = (to + this.#plainWords) * 2 + i * (POSED_BYTES / 2);
    out.x = (halves[a] + (halves[b] - halves[a]) * fraction) * OFFSET_STEP;
    out.y = (halves[a + 1] + (halves[b + 1] - halves[a + 1]) * fraction) * OFFSET_STEP;
    out.z = (halves[a + 2] + (halves[b + 2] - halves[a + 2]) * fraction) * OFFSET_STEP;
  }

  /** The rotation of a "posed" hitbox of an entry. */
  turnAt(entry: number, i: number, out: Rotation): void {
    const at = (entry + this.#plainWords) * 2 + i * (POSED_BYTES / 2);
    const halves = this.#halves;
    unpackRotation((halves[at + 3] & 0xffff) | (halves[at + 4] << 16), out);
  }

  /** For debugging: everybody at a tick that is kept. */
  *snapshot(tick: number): IterableIterator<WorldSnapshotEntity> {
    if (!(tick >= this.oldestTick && tick <= this.newestTick)) return;
    for (let index = 0; index < this.usedPlaces; index++) {
      const at = this.at(index, tick);
      const id = this.words[at];
      if (id === NOBODY) continue;
      const turn = { x: 0, y: 0, z: 0, w: 1 };
      if (this.rotation === "quaternion") this.rotationAt(at, turn);
      else {
        turn.z = sin(this.floats[at + 4] / 2);
        turn.w = cos(this.floats[at + 4] / 2);
      }
      yield {
        id: id & 0xffffff,
        generation: id >>> 16,
        position: [this.floats[at + 1], this.floats[at + 2], this.floats[at + 3]],
        rotation: [turn.x, turn.y, turn.z, turn.w],
        disabled: this.hitboxes.names.filter((_, i) => ((this.disabledAt(at) >>> i) & 1) === 1),
        jumps: this.jumpsAt(at),
        ...(this.hitboxes.pose === "palette" ? { frame: this.frameAt(at) } : {}),
        ...(this.hitboxes.pose === "posed" ? { poses: this.#posesAt(at) } : {}),
      };
    }
  }

  #posesAt(entry: number): HitboxPose[] {
    return this.hitboxes.names.map((_, i) => {
      const offset = { x: 0, y: 0, z: 0 };
      const turn = { x: 0, y: 0, z: 0, w: 1 };
      this.mixOffsets(entry, entry, 0, i, offset);
      this.turnAt(entry, i, turn);
      return { offset: [offset.x, offset.y, offset.z], turn: [turn.x, turn.y, turn.z, turn.w] };
    });
  }

  /** Forgets everything. */
  clear(): void {
    for (let entry = 0; entry < this.words.length; entry += this.stride) this.words[entry] = NOBODY;
    this.newestTick = -1;
    this.oldestTick = 0;
    this.usedPlaces = 0;
    this.liveCount = 0;
    this.bounds.clear();
  }
}

/** One entity of a world snapshot. */
export interface WorldSnapshotEntity {
  readonly id: number;
  readonly generation: number;
  readonly position: readonly [x: number, y: number, z: number];
  readonly rotation: readonly [x: number, y: number, z: number, w: number];
  /** Names of the hitboxes that cannot be hit. */
  readonly disabled: readonly string[];
  /** Goes up, modulo 16, at each jump: two entries with different numbers are not blended. */
  readonly jumps: number;
  readonly frame?: number;
  readonly poses?: readonly HitboxPose[];
}

export const NOBODY = -1;
const POSED_BYTES = 10;
const MAX_LIVE = 64;
