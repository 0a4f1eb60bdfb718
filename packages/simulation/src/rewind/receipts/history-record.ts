/** What was looked at of one history, in a receipt; and a small history of just that, which gives the same answers. */
import type { ByteReader, ByteWriter } from "@riposte/wire";
import { INTERPOLATION_MODES } from "../../prediction/interpolation/interpolation-mode.ts";
import { SnapshotHistory } from "../history/snapshot-history.ts";
import type { AxisPath } from "../history/snapshot-history.ts";
import type { Vector3 } from "../hitboxes/vector.ts";
import type { FadingDifferences, RewindView } from "../rewound-poses.ts";
import type { SlidingTurn } from "../sliding-turn.ts";
import type { DrawnPicture } from "../view-resolver.ts";
import { readHitboxes, writeHitboxes } from "./hitbox-record.ts";
import { MAX_SPAN_TICKS, MAX_TOUCHED, ReceiptError } from "./receipt-limits.ts";
import { DRAWN_NUMBERS, ENTRIES, PICTURE_NUMBERS } from "./shot-tape.ts";
import type { TouchedEntities } from "./shot-tape.ts";

/** One entity that was looked at. */
interface RecordedEntity {
  readonly id: number;
  readonly flags: number;
  readonly picture: DrawnPicture;
  /** For the picture's ticks and the two earlier ones: the entry, where there is one. */
  readonly entries: readonly (Int32Array | undefined)[];
  readonly isLive: boolean;
  /** Where it stood, and what its rotation slid by (`DRAWN_NUMBERS`), when that cannot be told from the entries. */
  readonly drawn: readonly number[] | undefined;
}

/** `flagsOf`: a byte of the caller's for each entity. */
export function writeHistory(touched: TouchedEntities, flagsOf: (i: number) => number, out: ByteWriter): void {
  const { history, count, words, entries, pictures } = touched;
  const { hitboxes, stride, rotation, tickMs, paths, teleport } = history;
  const frames = hitboxes.pose === "palette" ? framesOf(touched) : [];
  out.string(touched.table);
  out.u8(Number(touched.blocks));
  writeHitboxes(hitboxes, frames, out);
  out.u8(Number(rotation === "quaternion"));
  out.f64(tickMs);
  for (const path of paths) out.u8(PATHS.indexOf(path));
  out.u8(Number(typeof teleport === "number"));
  for (const limit of typeof teleport === "number" ? [teleport] : teleport) out.f64(limit);
  out.u8(Number(touched.isFading));
  out.u8(count);
  // Of two at the same distance, the one with the lower place is met.
  const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => touched.places[a] - touched.places[b]);
  for (const i of order) {
    out.u32(touched.ids[i]);
    out.u8(flagsOf(i));
    out.u8(entries[i]);
    const isLive = entries[i] === 0;
    if (!isLive) for (let k = 0; k < PICTURE_NUMBERS; k++) out.f64(pictures[i * PICTURE_NUMBERS + k]);
    if (!isLive && touched.isFading)
      for (let k = 0; k < DRAWN_NUMBERS; k++) out.f64(touched.drawn[i * DRAWN_NUMBERS + k]);
    for (let e = 0; e < (isLive ? 1 : ENTRIES); e++) {
      if (!isLive && ((entries[i] >>> e) & 1) === 0) continue;
      const at = (i * ENTRIES + e) * stride;
      for (let k = 0; k < stride; k++) {
        const word = words[at + k];
        // The frame is the place in the list of those that are kept.
        const isFrame = k === FLAGS_WORD && frames.length > 0;
        out.i32(isFrame ? (word & FLAGS_MASK) | (frames.indexOf(word >>> FRAME_SHIFT) << FRAME_SHIFT) : word);
      }
    }
  }
}

/** A history that was read back. Entity i of the receipt has place i, and id `idAt(i)`. */
export class RecordedHistory implements RewindView {
  readonly history: SnapshotHistory;
  /** Of the state, as the game calls it, and whether its entities stop shots at others. */
  readonly table: string;
  readonly blocks: boolean;
  readonly viewTick: number;
  readonly isWithin = false;
  readonly entities: readonly RecordedEntity[];
  readonly fading: FadingDifferences | undefined;

  /** Throws `ReceiptError`, or `RangeError` for what cannot be. */
  constructor(from: ByteReader, viewTick: number) {
    this.viewTick = viewTick;
    this.table = from.string(MAX_NAME_BYTES);
    this.blocks = from.u8() === 1;
    const hitboxes = readHitboxes(from);
    const rotation = from.u8() === 1 ? "quaternion" : "angle";
    const tickMs = from.f64();
    const [x, y, z] = [from.u8(), from.u8(), from.u8()].map((path) => PATHS[path]);
    const teleport = from.u8() === 1 ? from.f64() : ([from.f64(), from.f64(), from.f64()] as const);
    const isFading = from.u8() === 1;
    const count = from.u8();
    if (from.failed || x === undefined || y === undefined || z === undefined || count > MAX_TOUCHED)
      throw new ReceiptError("malformed history");
    const common = {
      capacity: Math.max(1, count),
      hitboxes,
      rotation,
      tickMs,
      teleport,
      paths: [x, y, z] as const,
    } as const;
    const { stride } = new SnapshotHistory({ ...common, capacity: 1, maxSnapshots: 2 });
    this.entities = Array.from({ length: count }, () => readEntity(stride, isFading, from));
    if (isFading) this.fading = new RecordedPlaces(this.entities, rotation === "angle");
    if (from.failed) throw new ReceiptError("malformed history");
    const first = Math.max(0, Math.min(...this.entities.flatMap(ticksOf), MAX_TICK) - 1);
    const last = Math.max(...this.entities.flatMap(ticksOf), first) + 1;
    if (!(last - first <= MAX_SPAN_TICKS)) throw new ReceiptError("too many ticks");
    const maxSnapshots = last - first + 1;
    this.history = new SnapshotHistory({ ...common, windowMs: Infinity, maxSnapshots });
    for (let tick = first; tick <= last; tick++) {
      this.history.begin(tick);
      for (let i = 0; i < count; i++) this.history.set(i, idAt(i), 0, 0, 0, 0);
    }
    for (let i = 0; i < count; i++) this.#fill(i);
  }

  resolve(id: number, out: DrawnPicture): boolean {
    const i = id & 0xffff;
    if (id !== idAt(i)) return false;
    Object.assign(out, this.entities[i].picture);
    return true;
  }

  /** Those that are looked at as they were at the moment of the shot. */
  addLive(): void {
    const { history } = this;
    for (let i = 0; i < this.entities.length; i++) {
      if (!this.entities[i].isLive || !history.setLive(i, idAt(i), 0, 0, 0, 0)) continue;
      this.#copy(this.entities[i].entries[0], i, history.liveEntryOf(i));
    }
  }

  #fill(i: number): void {
    const { picture, entries, isLive } = this.entities[i];
    if (isLive) return;
    const { fromTick, toTick, earlierTick, earliestTick } = picture;
    [fromTick, toTick, earlierTick, earliestTick].forEach((tick, e) => {
      if (entries[e] !== undefined) this.#copy(entries[e], i, this.history.at(i, tick));
    });
  }

  #copy(words: Int32Array | undefined, i: number, to: number): void {
    if (words === undefined) return;
    this.history.words.set(words, to);
    this.history.words[to] = words[0] === this.entities[i].id ? idAt(i) : SOMEBODY_ELSE;
  }
}

class RecordedPlaces implements FadingDifferences {
  readonly count = 0;
  readonly snapDistance = 0;
  readonly #entities: readonly RecordedEntity[];
  readonly #isAngle: boolean;

  constructor(entities: readonly RecordedEntity[], isAngle: boolean) {
    this.#entities = entities;
    this.#isAngle = isAngle;
  }

  weightOf(): number {
    return 0;
  }

  resolveFading(): boolean {
    return false;
  }

  placeOf(id: number, out: Vector3, turn: SlidingTurn): void {
    const { drawn } = this.#entities[id & 0xffff];
    if (drawn === undefined) return;
    [out.x, out.y, out.z] = drawn;
    turn.read(this.#isAngle, drawn.slice(3));
  }
}

/** What entity i of a receipt is called while it is replayed. */
export function idAt(i: number): number {
  return i | 0x10000;
}

function readEntity(stride: number, isFading: boolean, from: ByteReader): RecordedEntity {
  const id = from.u32() | 0;
  const flags = from.u8();
  const present = from.u8();
  const isLive = present === 0;
  const numbers = Array.from({ length: isLive ? 0 : PICTURE_NUMBERS }, () => from.f64());
  const [fromTick = 0, toTick = 0, fraction = 0, beyondTicks = 0, earlierTick = -1, earliestTick = -1, mode = 0] =
    numbers;
  const drawn = !isLive && isFading ? Array.from({ length: DRAWN_NUMBERS }, () => from.f64()) : undefined;
  const entries = Array.from({ length: ENTRIES }, (_, e) => {
    if (from.failed || (isLive ? e > 0 : ((present >>> e) & 1) === 0)) return undefined;
    return Int32Array.from({ length: stride }, () => from.i32());
  });
  const picture = {
    fromTick,
    toTick,
    fraction,
    beyondTicks,
    earlierTick,
    earliestTick,
    mode: INTERPOLATION_MODES[mode],
  };
  const areTicks =
    [fromTick, toTick].every(isTick) && [earlierTick, earliestTick].every((tick) => tick === -1 || isTick(tick));
  const hasBoth = isLive || (present & 3) === 3;
  if (!areTicks || !hasBoth || picture.mode === undefined) throw new ReceiptError("malformed entity");
  return { id, flags, picture, entries, isLive, drawn };
}

/** Of a picture. */
function ticksOf({ picture, isLive }: RecordedEntity): number[] {
  const { fromTick, toTick, earlierTick, earliestTick } = picture;
  return isLive ? [] : [fromTick, toTick, earlierTick, earliestTick].filter((tick) => tick >= 0);
}

function framesOf({ history, count, entries, words }: TouchedEntities): number[] {
  const frames = new Set<number>();
  for (let i = 0; i < count; i++)
    for (let e = 0; e < ENTRIES; e++)
      if (e === 0 || ((entries[i] >>> e) & 1) === 1)
        frames.add(words[(i * ENTRIES + e) * history.stride + FLAGS_WORD] >>> FRAME_SHIFT);
  return frames.size === 0 ? [0] : [...frames];
}

function isTick(tick: number): boolean {
  return Number.isInteger(tick) && tick >= 0 && tick <= MAX_TICK;
}

const PATHS: readonly AxisPath[] = ["line", "step", "told", "estimated"];
const FLAGS_WORD = 5;
const FRAME_SHIFT = 20;
const FLAGS_MASK = (1 << FRAME_SHIFT) - 1;
const MAX_TICK = 2 ** 31 - 4096;
const MAX_NAME_BYTES = 255;
/** An entry of another entity, or of none. */
const SOMEBODY_ELSE = -1;
