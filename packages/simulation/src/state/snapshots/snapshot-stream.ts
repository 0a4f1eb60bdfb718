import { RangeEncoder } from "@riposte/wire";
import type { BitWriter } from "@riposte/wire";
import { DenseEncoder } from "./dense-encoder.ts";
import { DenseTable } from "./dense-table.ts";
import type { InterestGrid } from "./interest-grid.ts";
import { SharedEncoder } from "./shared-encoder.ts";
import type { SharedFrame } from "./shared-frames.ts";
import type { SharedSnapshots } from "./shared-snapshots.ts";
import type { PriorityRule } from "./priority-rule.ts";
import { SnapshotCandidates } from "./snapshot-candidates.ts";
import { DENSE, MAX_TICK, NO_TICK, SHARED, SNAPSHOT_HISTORY, writeHeader } from "./snapshot-format.ts";
import type { AnyTable } from "../state-table.ts";
import type { TableEncoder } from "./table-encoder.ts";
import { TableStream } from "./table-stream.ts";
import type { Relevance } from "./table-stream.ts";
import { TableView } from "./table-view.ts";
import { SightTurns } from "./visibility.ts";
import type { VisibilityTest } from "./visibility.ts";

/**
 * The server's side of one client's snapshots. Each snapshot is the difference between what the client is known to
 * know (its newest acknowledged snapshot, the baseline) and what it should know now: the settled records of the
 * entities relevant to it, as far as its audience goes and the byte budget allows. A lost snapshot needs no repair:
 * the next one still starts from what was acknowledged.
 */

export interface SnapshotStreamOptions {
  /** What is sent, by name; the receiver declares the same names in the same order. */
  readonly tables: Readonly<Record<string, AnyTable>>;
  /** Seat of the client: entities with this owner are its own. */
  readonly clientId: number;
  /** Ticks a second. Default 60. */
  readonly tickRate?: number;
  /** What a snapshot should take at most. The client's own entities are sent even beyond it. Default 1000. */
  readonly budgetBytes?: number;
  /** How far the client sees, from the point given to `write`. Default Infinity. */
  readonly relevanceRadius?: number;
  /** An entity leaves when it is this part further away than `relevanceRadius`. Default 0.1. */
  readonly hysteresis?: number;
  /** Shared by all clients of a room; worth it from some hundred entities. Default none: every row is looked at. */
  readonly interest?: InterestGrid;
  /** What is near enough must also be seen by this. Default none: everything near enough is sent. */
  readonly visibility?: VisibilityTest;
  /** Who goes first when there is no room for everybody. Default: by the states' priorities and the distance alone. */
  readonly priority?: PriorityRule;
  /**
   * Shared by all clients of a room: makes their snapshots shared ones, whose records are encoded once for all. Default
   * none: dense ones, which take about half the bits, and are made for each client alone.
   */
  readonly shared?: SharedSnapshots;
}

export interface SnapshotStreamStats {
  snapshots: number;
  /** Of these, without a baseline. */
  whole: number;
  bits: number;
  /** Entities sent, and entities that had changed or were new but did not fit. */
  sent: number;
  leftOut: number;
  /** Snapshots that did not fit the writer at all. */
  failed: number;
}

/** Acknowledged snapshots that are kept beside the baseline, to be the older one. */
const OLDER_KEPT = 4;

/** The older baseline lies as far before the baseline as this part of the baseline's age, or nearly. */
const OLDER_PART = 1 / 8;

/** What a header takes at most. */
const MAX_HEADER_BITS = 64;

/** Ticks after which a baseline is too old for the header's 16 bits. */
const MAX_DISTANCE = 30000;

export class SnapshotStream {
  readonly clientId: number;
  readonly stats: SnapshotStreamStats = { snapshots: 0, whole: 0, bits: 0, sent: 0, leftOut: 0, failed: 0 };
  readonly #budgetBits: number;
  readonly #streams: readonly TableStream[];
  readonly #relevance: Relevance;
  readonly #candidates = new SnapshotCandidates();
  #chosen = new Int32Array(64);
  /** Whether the candidates of this snapshot have their claims: only when there is no room for all. */
  #claimed = false;
  /**
   * Tick and views of the sent snapshots that may still become the baseline, by slot. What the baseline has overtaken is
   * free, and the lowest free slot is used next: as few as a round trip needs are in use, and stay in the processor's cache.
   */
  readonly #ticks = new Float64Array(SNAPSHOT_HISTORY).fill(NO_TICK);
  readonly #views: TableView[][] = [];
  /** Slots from here on were never used. */
  #usedSlots = 0;
  /** By slot: 1 once the client has said that it has the snapshot. */
  readonly #acknowledged = new Uint8Array(SNAPSHOT_HISTORY);
  /** By slot: the frame that the client knew then, in place of `#views`, and its serial number. */
  readonly #frames: (SharedFrame | undefined)[] = [];
  readonly #serials = new Float64Array(SNAPSHOT_HISTORY);
  readonly #shared: SharedSnapshots | undefined;
  readonly #nothing: readonly TableView[];
  readonly #range: RangeEncoder | undefined;
  #newestTick: number = NO_TICK;
  #newest: readonly TableView[];
  #baselineTick: number = NO_TICK;

  constructor(options: SnapshotStreamOptions) {
    const {
      tables,
      clientId,
      tickRate = 60,
      budgetBytes = 1000,
      relevanceRadius = Infinity,
      hysteresis = 0.1,
    } = options;
    if (!(relevanceRadius > 0))
      throw new RangeError(`SnapshotStream: relevanceRadius ${relevanceRadius} must be above 0`);
    if (!(tickRate > 0)) throw new RangeError(`SnapshotStream: tickRate ${tickRate} must be above 0`);
    this.clientId = clientId;
    this.#budgetBits = budgetBytes * 8;
    const { shared } = options;
    this.#shared = shared;
    this.#nothing = Object.values(tables).map((table) => new TableView(table.wordCount, table.capacity));
    this.#range = shared === undefined ? new RangeEncoder() : undefined;
    this.#streams = Object.values(tables).map((table, number) => {
      const encoder = this.#createEncoder(table, number, tickRate, shared);
      return new TableStream(table, number, clientId, encoder);
    });
    const leaveRadius = relevanceRadius * (1 + hysteresis);
    this.#relevance = {
      viewX: 0,
      viewY: 0,
      radius: relevanceRadius,
      leaveRadius,
      grid: options.interest,
      visibility: options.visibility,
      turns: new SightTurns(),
      priority: options.priority,
    };
    this.#newest = this.#nothing;
  }

  /**
   * Whether the client sees a row of a table (by its place in `tables`) at `tick`, or has seen it so lately that
   * snapshots still tell of it. It asks for sight alone, however far the row is.
   */
  sees(table: number, index: number, tick: number): boolean {
    return this.#streams[table].sees(index, tick, this.#relevance);
  }

  /** Before the snapshot of `tick`: whether the client has been sent a row, and this snapshot will not say that it is gone. */
  keeps(table: number, index: number, tick: number, viewX: number, viewY: number): boolean {
    return this.#streams[table].keeps(index, tick, viewX, viewY, this.#relevance);
  }

  /** The newest acknowledged tick that is still remembered, or -1. */
  get baselineTick(): number {
    return this.#baselineTick;
  }

  /**
   * Writes the snapshot of `tick` (each call a later one), seen from a point; from NaN, that is from nowhere, nothing
   * is near enough for a `relevanceRadius`. The tables' settled records are what is sent. False, and nothing is written, when the writer has too little room even for the client's own entities.
   */
  write(tick: number, viewX: number, viewY: number, writer: BitWriter): boolean {
    if (!(Number.isInteger(tick) && tick > this.#newestTick && tick <= MAX_TICK)) {
      throw new RangeError(`SnapshotStream.write: tick ${tick} must be whole and above ${this.#newestTick}`);
    }
    const start = writer.bitLength;
    const slot = this.#nextSlot();
    // What is about to be overwritten, or is too far back to be named, can no longer be built upon.
    if (this.#ticks[slot] === this.#baselineTick || tick - this.#baselineTick > MAX_DISTANCE)
      this.#baselineTick = NO_TICK;
    // Before the baseline is looked up: a new frame may take an old one's place.
    const frame = this.#currentFrame(tick);
    const base = this.#baseline();
    if (frame !== undefined && this.#writeFrame(frame, slot, writer)) return true;
    const older = this.#olderSlot(tick, slot);
    const olderViews = older < 0 ? this.#nothing : this.#views[older];
    const views = (this.#views[slot] ??= this.#createViews());
    this.#ticks[slot] = NO_TICK;
    const candidates = this.#candidates;
    candidates.clear();
    this.#claimed = false;
    this.#relevance.turns.start(this.#relevance.visibility?.maxTests ?? 0);
    this.#relevance.viewX = viewX;
    this.#relevance.viewY = viewY;
    for (let i = 0; i < this.#streams.length; i++) {
      this.#streams[i].collect(tick, base[i], olderViews[i], this.#relevance, candidates);
    }
    let budget = Math.min(this.#budgetBits, writer.remainingBits);
    let sent = this.#choose(budget);
    this.#writeAll(tick, older, base, views, writer);
    // The costs were estimates. When the writer is too small after all, the least important go.
    for (let attempt = 0; writer.failed && attempt < 6; attempt++) {
      writer.rewind(start);
      budget *= attempt < 5 ? 0.8 : 0;
      for (let i = 0; i < this.#streams.length; i++) this.#streams[i].unchoose();
      sent = this.#choose(budget);
      this.#writeAll(tick, older, base, views, writer);
    }
    if (writer.failed) {
      writer.rewind(start);
      this.stats.failed++;
      return false;
    }
    for (let i = 0; i < this.#streams.length; i++) this.#streams[i].commit(tick, base[i], views[i]);
    // Who has been told of everything knows what all onlookers know.
    this.#remember(tick, slot, sent === candidates.count ? frame : undefined, writer.bitLength - start, sent);
    this.stats.leftOut += candidates.count - sent;
    return true;
  }

  /** What the client knows of a table (by its place in `tables`) once it has the snapshot that was written last. */
  lastSent(table: number): TableView {
    return this.#newest[table];
  }

  /** The client has the snapshot of this tick. Unknown and older ticks are ignored, so what a client claims is harmless. */
  acknowledge(tick: number): void {
    // Each input says it again.
    if (!(tick > this.#baselineTick)) return;
    const at = this.#slotOf(tick);
    if (at < 0) return;
    this.#baselineTick = tick;
    this.#acknowledged[at] = 1;
    let oldest = -1;
    let kept = 0;
    for (let slot = 0; slot < this.#usedSlots; slot++) {
      if (this.#ticks[slot] >= tick || this.#ticks[slot] === NO_TICK) continue;
      const views = this.#views[slot];
      if (views !== undefined) for (let i = 0; i < this.#streams.length; i++) this.#streams[i].giveUp(views[i]);
      if (this.#acknowledged[slot] === 0 || this.#range === undefined) {
        this.#ticks[slot] = NO_TICK;
        continue;
      }
      kept++;
      if (oldest < 0 || this.#ticks[slot] < this.#ticks[oldest]) oldest = slot;
    }
    if (kept > OLDER_KEPT) this.#ticks[oldest] = NO_TICK;
  }

  /** Forgets what the client knows: the next snapshot stands alone. */
  reset(): void {
    this.#ticks.fill(NO_TICK);
    this.#baselineTick = NO_TICK;
  }

  #remember(tick: number, slot: number, frame: SharedFrame | undefined, bits: number, sent: number): void {
    if (slot >= this.#usedSlots) this.#usedSlots = slot + 1;
    this.#ticks[slot] = tick;
    this.#acknowledged[slot] = 0;
    this.#frames[slot] = frame;
    this.#serials[slot] = frame?.serial ?? 0;
    this.#newestTick = tick;
    this.#newest = frame === undefined ? this.#views[slot] : frame.views;
    this.stats.snapshots++;
    if (this.#baselineTick < 0) this.stats.whole++;
    this.stats.bits += bits;
    this.stats.sent += sent;
  }

  /** The frame of this tick, when this client is to know just that. */
  #currentFrame(tick: number): SharedFrame | undefined {
    const { visibility, radius } = this.#relevance;
    if (this.#shared === undefined || visibility !== undefined || radius < Infinity) return undefined;
    const frame = this.#shared.frames.current(tick);
    return this.#shared.frames.owns(this.clientId) ? undefined : frame;
  }

  /** Copies what all onlookers get, when this client is one and was before; false, and nothing is written, when not. */
  #writeFrame(frame: SharedFrame, slot: number, writer: BitWriter): boolean {
    if (this.#shared === undefined) return false;
    const { frames } = this.#shared;
    const { tick } = frame;
    let base: SharedFrame | undefined;
    if (this.#baselineTick >= 0) {
      base = this.#frames[this.#slotOf(this.#baselineTick)];
      if (base === undefined) return false;
    }
    const place = frames.find(frame, base);
    if (place < 0) return false;
    const bits = frames.bitsOf(place);
    if (bits + MAX_HEADER_BITS > Math.min(this.#budgetBits, writer.remainingBits)) return false;
    const start = writer.bitLength;
    writeHeader(writer, SHARED, tick, this.#baselineTick, NO_TICK);
    frames.copy(place, writer);
    this.#remember(tick, slot, frame, writer.bitLength - start, frames.sentIn(place));
    return true;
  }

  /** A free slot, else that of the oldest snapshot. */
  #nextSlot(): number {
    const ticks = this.#ticks;
    const used = this.#usedSlots;
    let oldest = 0;
    for (let slot = 0; slot < used; slot++) {
      if (ticks[slot] === NO_TICK) return slot;
      if (ticks[slot] < ticks[oldest]) oldest = slot;
    }
    return used < SNAPSHOT_HISTORY ? used : oldest;
  }

  /** The slot of the snapshot of a tick; -1: it is not remembered. */
  #slotOf(tick: number): number {
    for (let slot = 0; slot < this.#usedSlots; slot++) if (this.#ticks[slot] === tick) return slot;
    return -1;
  }

  #baseline(): readonly TableView[] {
    if (this.#baselineTick < 0) return this.#nothing;
    const slot = this.#slotOf(this.#baselineTick);
    if (slot >= 0) {
      const frame = this.#frames[slot];
      if (frame === undefined) return this.#views[slot];
      if (frame.serial === this.#serials[slot]) return frame.views;
    }
    this.#baselineTick = NO_TICK;
    return this.#nothing;
  }

  /** Slot of the second baseline: the newest one that is long enough before the first, else the oldest; -1: none. */
  #olderSlot(tick: number, slot: number): number {
    const ticks = this.#ticks;
    const first = this.#baselineTick;
    if (first < 0 || this.#range === undefined) return -1;
    const latest = first - Math.max(1, (tick - first) * OLDER_PART);
    let best = -1;
    for (let other = 0; other < this.#usedSlots; other++) {
      if (other === slot || this.#acknowledged[other] === 0 || ticks[other] < 0 || ticks[other] >= first) continue;
      const early = ticks[other] <= latest;
      if (best < 0 || (early ? ticks[best] > latest || ticks[other] > ticks[best] : ticks[other] < ticks[best])) {
        best = other;
      }
    }
    return best;
  }

  /** Returns how many candidates were chosen. */
  #choose(budgetBits: number): number {
    const candidates = this.#candidates;
    const { count } = candidates;
    let overhead = 64;
    for (let i = 0; i < this.#streams.length; i++) overhead += this.#streams[i].overheadBits;
    const fits = candidates.totalCost + overhead <= budgetBits;
    if (!fits) this.#claim();
    const picked = fits ? count : candidates.pick(budgetBits - overhead, this.#chosen);
    for (let i = 0; i < picked; i++) {
      const candidate = fits ? i : this.#chosen[i];
      this.#streams[candidates.tables[candidate]].choose(candidates.indices[candidate]);
    }
    return picked;
  }

  /** Gives the candidates their claims, once for a snapshot. */
  #claim(): void {
    if (this.#claimed) return;
    this.#claimed = true;
    const { count, tables, indices, claims } = this.#candidates;
    if (this.#chosen.length < count) this.#chosen = new Int32Array(tables.length);
    for (let i = 0; i < count; i++) this.#streams[tables[i]].claim(indices[i], this.#relevance, claims, i);
  }

  #writeAll(
    tick: number,
    older: number,
    base: readonly TableView[],
    views: readonly TableView[],
    writer: BitWriter,
  ): void {
    const range = this.#range;
    const encoding = range === undefined ? SHARED : DENSE;
    writeHeader(writer, encoding, tick, this.#baselineTick, older < 0 ? NO_TICK : this.#ticks[older]);
    range?.start(writer);
    for (let i = 0; i < this.#streams.length; i++) this.#streams[i].write(base[i], views[i], writer);
    range?.finish();
  }

  #createViews(): TableView[] {
    return this.#streams.map(({ table }) => new TableView(table.wordCount, table.capacity));
  }

  #createEncoder(table: AnyTable, number: number, tickRate: number, shared: SharedSnapshots | undefined): TableEncoder {
    const nothing = this.#nothing[number];
    if (this.#range !== undefined) {
      const dense = new DenseTable(table.definition, tickRate, nothing);
      return new DenseEncoder(table, this.clientId, dense, this.#range);
    }
    const records = shared?.records[number];
    if (records === undefined) throw new RangeError(`SnapshotStream: table ${number} is not among the shared ones`);
    return new SharedEncoder(table, this.clientId, records, nothing);
  }
}
