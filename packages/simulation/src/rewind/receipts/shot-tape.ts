/** What was looked at for one shot: entities, each with the entries of the past that were mixed, and static shapes. */
import { modeNumber } from "../../prediction/interpolation/interpolation-mode.ts";
import type { SnapshotHistory } from "../history/snapshot-history.ts";
import type { Touches } from "../query-filter.ts";
import type { RewoundPoses } from "../rewound-poses.ts";
import { TURN_NUMBERS } from "../sliding-turn.ts";
import { MAX_SECTIONS, MAX_SHAPES, MAX_TOUCHED } from "./receipt-limits.ts";

/** The entities of one history that were looked at. */
export class TouchedEntities implements Touches {
  readonly history: SnapshotHistory;
  /** Of the state, as the game calls it, and whether its entities stop shots at others. */
  readonly table: string;
  readonly blocks: boolean;
  count = 0;
  isFull = false;
  readonly places: Int32Array = new Int32Array(MAX_TOUCHED);
  readonly ids: Int32Array = new Int32Array(MAX_TOUCHED);
  /** Seven numbers for each: the picture's ticks, fraction, ticks beyond, earlier ticks, and mode. */
  readonly pictures: Float64Array = new Float64Array(MAX_TOUCHED * PICTURE_NUMBERS);
  /** Bit i: entry i of four is there. 0: it is looked at as it is now, and has only the first. */
  readonly entries: Uint8Array = new Uint8Array(MAX_TOUCHED);
  /** Where each stood and what its rotation slid by, for pictures from which late news were still fading: those cannot be told from the entries. */
  readonly drawn: Float64Array = new Float64Array(MAX_TOUCHED * DRAWN_NUMBERS);
  isFading = false;
  /** Four entries for each. */
  readonly words: Int32Array;
  readonly #found = new Int32Array(ENTRIES);

  constructor(history: SnapshotHistory, table: string, blocks: boolean) {
    this.history = history;
    this.table = table;
    this.blocks = blocks;
    this.words = new Int32Array(MAX_TOUCHED * ENTRIES * history.stride);
  }

  clear(): void {
    this.count = 0;
    this.isFull = this.isFading = false;
  }

  note(place: number, poses: RewoundPoses): void {
    for (let i = 0; i < this.count; i++) if (this.places[i] === place) return;
    if (this.count === MAX_TOUCHED) {
      this.isFull = true;
      return;
    }
    const i = this.count++;
    const found = this.#found;
    const isLive = poses.entriesOf(place, found);
    this.places[i] = place;
    this.ids[i] = poses.pose.id;
    const { fromTick, toTick, fraction, beyondTicks, earlierTick, earliestTick, mode } = poses.picture;
    const at = i * PICTURE_NUMBERS;
    const pictures = this.pictures;
    pictures[at] = fromTick;
    pictures[at + 1] = toTick;
    pictures[at + 2] = fraction;
    pictures[at + 3] = beyondTicks;
    pictures[at + 4] = found[2] < 0 ? -1 : earlierTick;
    pictures[at + 5] = found[3] < 0 ? -1 : earliestTick;
    pictures[at + 6] = modeNumber(mode);
    const { x, y, z } = poses.pose;
    const { drawn } = this;
    const drawnAt = i * DRAWN_NUMBERS;
    drawn[drawnAt] = x;
    drawn[drawnAt + 1] = y;
    drawn[drawnAt + 2] = z;
    poses.sliding.write(this.history.rotation === "angle", drawn, drawnAt + 3);
    if (poses.view.fading !== undefined) this.isFading = true;
    this.entries[i] = isLive ? 0 : 3 | (found[2] < 0 ? 0 : 4) | (found[3] < 0 ? 0 : 8);
    const { stride, words } = this.history;
    for (let e = 0; e < ENTRIES; e++) {
      if (found[e] < 0) continue;
      const to = (i * ENTRIES + e) * stride;
      for (let k = 0; k < stride; k++) this.words[to + k] = words[found[e] + k];
    }
  }
}

export class ShotTape {
  /** Those of the states that are shot at first; the others stop shots. */
  readonly sections: TouchedEntities[] = [];
  readonly shapes: Int32Array = new Int32Array(MAX_SHAPES);
  shapeCount = 0;
  #isFull = false;
  readonly #byHistory = new Map<SnapshotHistory, TouchedEntities>();

  clear(): void {
    this.sections.length = 0;
    this.shapeCount = 0;
    this.#isFull = false;
  }

  /** Whether there was more than it has room for. */
  get isFull(): boolean {
    return this.#isFull || this.sections.length > MAX_SECTIONS || this.sections.some((section) => section.isFull);
  }

  /** The state's section: the next one, unless it is open. */
  open(history: SnapshotHistory, table: string, blocks: boolean): TouchedEntities {
    let section = this.#byHistory.get(history);
    if (section === undefined) this.#byHistory.set(history, (section = new TouchedEntities(history, table, blocks)));
    if (this.sections.includes(section)) return section;
    section.clear();
    this.sections.push(section);
    return section;
  }

  /** A ray met this shape of the static geometry; -1: none. */
  noteShape(shape: number): void {
    if (shape < 0) return;
    for (let i = 0; i < this.shapeCount; i++) if (this.shapes[i] === shape) return;
    if (this.shapeCount === MAX_SHAPES) this.#isFull = true;
    else this.shapes[this.shapeCount++] = shape;
  }
}

export const ENTRIES = 4;
export const PICTURE_NUMBERS = 7;
/** A position, and what the rotation slid by. */
export const DRAWN_NUMBERS: number = 3 + TURN_NUMBERS;
