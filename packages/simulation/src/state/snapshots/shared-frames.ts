import { BitWriter } from "@riposte/wire";
import { SharedEncoder } from "./shared-encoder.ts";
import { copyBits } from "./shared-records.ts";
import type { SharedRecords } from "./shared-records.ts";
import { SnapshotCandidates } from "./snapshot-candidates.ts";
import { NO_TICK, SNAPSHOT_HISTORY } from "./snapshot-format.ts";
import type { AnyTable } from "../state-table.ts";
import { TableStream } from "./table-stream.ts";
import type { Relevance } from "./table-stream.ts";
import { TableView } from "./table-view.ts";
import { SightTurns } from "./visibility.ts";

/**
 * For clients who own nothing and are told of everything: what such a client knows is the same for all of them, and so
 * are whole snapshots. A frame is everything that is open to all, as it was in one tick; frames are encoded against each
 * other once, and copied for each client.
 */

/** Owns nothing, as no seat has this number, and nobody's entities have another. */
const NOBODY = -2;

/** More frames than a stream remembers snapshots: tables may change between two snapshots of one tick. */
const FRAMES: number = SNAPSHOT_HISTORY + 32;

/** What all onlookers know after a snapshot. A frame is used again for a later tick; then its serial number is another. */
export interface SharedFrame {
  tick: number;
  serial: number;
  readonly views: TableView[];
}

export class SharedFrames {
  readonly #tables: readonly AnyTable[];
  readonly #streams: readonly TableStream[];
  readonly #nothing: readonly TableView[];
  readonly #frames: SharedFrame[] = [];
  readonly #versions: Float64Array;
  readonly #relevance: Relevance = {
    viewX: 0,
    viewY: 0,
    radius: Infinity,
    leaveRadius: Infinity,
    grid: undefined,
    visibility: undefined,
    turns: new SightTurns(),
    priority: undefined,
  };
  readonly #candidates = new SnapshotCandidates();
  readonly #bytes: Uint8Array;
  readonly #writer = new BitWriter();
  /** Encodings of the newest frame: serial number of what each was made against (-1: nothing), first byte, bits, entities. */
  readonly #bases = new Float64Array(FRAMES);
  readonly #starts = new Int32Array(FRAMES);
  readonly #lengths = new Int32Array(FRAMES);
  readonly #sent = new Int32Array(FRAMES);
  #count = 0;
  #used = 0;
  #serial = 0;
  #newest: SharedFrame | undefined;
  /** By seat: 1 when it owns something in the newest frame. */
  #owners = new Uint8Array(64);

  /** `maxBytes`: room for the encodings of one tick. */
  constructor(tables: readonly AnyTable[], records: readonly SharedRecords[], maxBytes: number) {
    this.#tables = tables;
    this.#nothing = this.#createViews();
    this.#streams = tables.map((table, number) => {
      return new TableStream(
        table,
        number,
        NOBODY,
        new SharedEncoder(table, NOBODY, records[number], this.#nothing[number]),
      );
    });
    this.#versions = new Float64Array(tables.length).fill(-1);
    this.#bytes = new Uint8Array(maxBytes);
  }

  /** The frame of the tables as they are, in `tick`. */
  current(tick: number): SharedFrame {
    let frame = this.#newest;
    if (frame !== undefined && frame.tick === tick && this.#isUnchanged()) return frame;
    frame = this.#frames[this.#serial % FRAMES] ??= { tick: NO_TICK, serial: -1, views: this.#createViews() };
    frame.tick = tick;
    frame.serial = this.#serial++;
    this.#newest = frame;
    this.#count = 0;
    this.#used = 0;
    for (let i = 0; i < this.#tables.length; i++) this.#versions[i] = this.#tables[i].version;
    this.#noteOwners();
    this.#collect(tick, this.#nothing);
    for (let i = 0; i < this.#streams.length; i++) this.#streams[i].commit(tick, this.#nothing[i], frame.views[i]);
    return frame;
  }

  /** Whether this seat owns something in the current frame. */
  owns(seat: number): boolean {
    return this.#owners[seat] === 1;
  }

  /** Place of the current frame's encoding against `base` (undefined: against nothing); -1 when there is no room. */
  find(frame: SharedFrame, base: SharedFrame | undefined): number {
    const serial = base?.serial ?? -1;
    for (let place = 0; place < this.#count; place++) if (this.#bases[place] === serial) return place;
    if (this.#count === FRAMES) return -1;
    const views = base?.views ?? this.#nothing;
    const sent = this.#collect(frame.tick, views);
    const writer = this.#writer.reset(this.#bytes, this.#used);
    for (let i = 0; i < this.#streams.length; i++) this.#streams[i].write(views[i], frame.views[i], writer);
    const end = writer.finish();
    // Whoever copies reads whole words.
    if (writer.failed || end + 4 > this.#bytes.length) return -1;
    const place = this.#count++;
    this.#bases[place] = serial;
    this.#starts[place] = this.#used;
    this.#lengths[place] = writer.bitLength;
    this.#sent[place] = sent;
    this.#used = end;
    return place;
  }

  bitsOf(place: number): number {
    return this.#lengths[place];
  }

  /** Entities in an encoding. */
  sentIn(place: number): number {
    return this.#sent[place];
  }

  copy(place: number, writer: BitWriter): void {
    copyBits(this.#bytes, this.#starts[place], this.#lengths[place], writer);
  }

  #isUnchanged(): boolean {
    for (let i = 0; i < this.#tables.length; i++) if (this.#tables[i].version !== this.#versions[i]) return false;
    return true;
  }

  /** Chooses everything that differs from `views`; returns how much that is. */
  #collect(tick: number, views: readonly TableView[]): number {
    const candidates = this.#candidates;
    candidates.clear();
    for (let i = 0; i < this.#streams.length; i++) {
      this.#streams[i].collect(tick, views[i], this.#nothing[i], this.#relevance, candidates);
    }
    for (let n = 0; n < candidates.count; n++) this.#streams[candidates.tables[n]].choose(candidates.indices[n]);
    return candidates.count;
  }

  #noteOwners(): void {
    this.#owners.fill(0);
    for (const { highWater, alive, owners } of this.#tables) {
      for (let index = 0; index < highWater; index++) {
        const owner = owners[index];
        if (alive[index] === 0 || owner < 0) continue;
        if (owner >= this.#owners.length) this.#growOwners(owner);
        this.#owners[owner] = 1;
      }
    }
  }

  #growOwners(owner: number): void {
    const larger = new Uint8Array(Math.max(owner + 1, this.#owners.length * 2));
    larger.set(this.#owners);
    this.#owners = larger;
  }

  #createViews(): TableView[] {
    return this.#tables.map((table) => new TableView(table.wordCount, table.capacity));
  }
}
