/**
 * The view stamps of one message of inputs, from the newest input to the oldest, each against the one before it here.
 *
 * What a picture was made of is told by pointing into the receipts that the message carries once: its snapshot is so many
 * receipts before that of the newer input. A picture is expected to be one tick behind that of the next input,
 * made in the same way, and its snapshot to have been in use for as many inputs as there are ticks between two
 * snapshots. A stamp that is as expected takes one bit.
 *
 *     whole:  0 no picture | 1, mode (0 "linear" | 1 and its number in 3 bits), receipts back from the newest
 *             received (as many 0, then 1), older inputs with the same snapshot (3 bits), its tick minus the view tick in
 *             1/256 (zigzag, in groups of 12)
 *     other:  1 as expected | 0, what differs (2 bits):
 *             0 the view | 1 the snapshot | 2 both | 3 more: followed by the whole
 *             snapshot: receipts back from the newer input's; view: what is more than expected (zigzag, in groups of 5)
 */
import type { BitReader, BitWriter } from "@riposte/wire";
import { unzigzag, zigzag } from "../../state/adaptive-code.ts";
import { INTERPOLATION_MODES, modeNumber } from "../interpolation/interpolation-mode.ts";
import type { InterpolationMode } from "../interpolation/interpolation-mode.ts";
import type { InputHistory } from "./input-history.ts";
import type { ViewStamp } from "./player-input.ts";

/** One message's state, the same on both sides. */
export class ViewStampCodec {
  #newestReceived = -1;
  #receipts = 0;
  /** Of the stamp that was coded last: view in 1/256 tick (-1: none), snapshot, mode. */
  #view = -1;
  #snapshot = -1;
  #mode: InterpolationMode = "linear";
  /** How many more inputs are expected to have the same snapshot. */
  #left = 0;

  /** Begins a message that says: `newestReceived` (-1: none) and the receipts before it. */
  begin(newestReceived: number, receipts: number): void {
    this.#newestReceived = newestReceived;
    this.#receipts = receipts;
    this.#forget();
  }

  writeNewest(history: InputHistory, tick: number, writer: BitWriter): void {
    this.#writeWhole(history, tick, writer);
  }

  /** The stamp of `tick`; that of `tick + 1` was written before. */
  writeOlder(history: InputHistory, tick: number, writer: BitWriter): void {
    const view = history.viewTickOf(tick) * 256;
    const snapshot = view < 0 ? -1 : history.snapshotTickOf(tick);
    if (view < 0 || this.#view < 0) {
      const same = view < 0 && this.#view < 0;
      writer.bits(same ? 1 : WHOLE, same ? 1 : 3);
      if (!same) this.#writeWhole(history, tick, writer);
      return;
    }
    const expected = this.#expected();
    const steps = this.#stepsTo(snapshot);
    if (history.modeOf(tick) !== this.#mode || steps < 0 || Math.abs(view - this.#view) > FARTHEST) {
      writer.bits(WHOLE, 3);
      return this.#writeWhole(history, tick, writer);
    }
    const moved = view - this.#view + 256;
    const same = snapshot === expected;
    if (moved === 0 && same) writer.bits(1, 1);
    else {
      writer.bits((same ? 0 : moved === 0 ? 1 : 2) << 1, 3);
      if (!same) writeUnary(steps, writer);
      if (moved !== 0) writer.grouped(zigzag(moved), 5);
    }
    this.#advance(snapshot, same);
    this.#view = view;
  }

  /** False when the bits are no stamp. */
  readNewest(stamp: ViewStamp, reader: BitReader): boolean {
    if (!this.#readWhole(reader)) return false;
    this.#fill(stamp);
    return true;
  }

  /** The stamp of the input before that of the last call. */
  readOlder(stamp: ViewStamp, reader: BitReader): boolean {
    if (reader.bits(1) === 1) {
      if (this.#view >= 0) {
        this.#view -= 256;
        this.#advance(this.#expected(), true);
        if (this.#view < 0 || this.#snapshot < 0) return false;
      }
    } else {
      const differs = reader.bits(2);
      if (differs === 3) {
        if (!this.#readWhole(reader)) return false;
      } else {
        if (this.#view < 0) return false;
        const same = differs === 0;
        const snapshot = same ? this.#expected() : this.#readSteps(this.#snapshot, reader);
        if (snapshot < 0) return false;
        this.#view -= 256;
        if (differs !== 1) this.#view += unzigzag(reader.grouped(5));
        this.#advance(snapshot, same);
        if (this.#view < 0 || this.#view > MAX_VIEW) return false;
      }
    }
    this.#fill(stamp);
    return !reader.failed;
  }

  #writeWhole(history: InputHistory, tick: number, writer: BitWriter): void {
    const view = history.viewTickOf(tick) * 256;
    const snapshot = history.snapshotTickOf(tick);
    const mode = history.modeOf(tick);
    this.#snapshot = this.#newestReceived;
    const steps = view < 0 ? -1 : this.#stepsTo(snapshot);
    const distance = snapshot * 256 - view;
    writer.bool(steps >= 0 && Math.abs(distance) <= FARTHEST);
    if (steps < 0 || Math.abs(distance) > FARTHEST) return this.#forget();
    writer.bool(mode !== "linear");
    if (mode !== "linear") writer.bits(modeNumber(mode), 3);
    writeUnary(steps, writer);
    let left = 0;
    while (left < MAX_LEFT && history.has(tick - left - 1) && history.snapshotTickOf(tick - left - 1) === snapshot)
      left++;
    writer.bits(left, 3);
    writer.grouped(zigzag(distance), 12);
    this.#view = view;
    this.#snapshot = snapshot;
    this.#mode = mode;
    this.#left = left;
  }

  #readWhole(reader: BitReader): boolean {
    if (reader.bits(1) === 0) {
      this.#forget();
      return !reader.failed;
    }
    const mode = reader.bits(1) === 0 ? LINEAR : reader.bits(3);
    const snapshot = this.#readSteps(this.#newestReceived, reader);
    if (mode >= INTERPOLATION_MODES.length || snapshot < 0) return false;
    this.#mode = INTERPOLATION_MODES[mode];
    this.#snapshot = snapshot;
    this.#left = reader.bits(3);
    this.#view = snapshot * 256 - unzigzag(reader.grouped(12));
    return !reader.failed && this.#view >= 0 && this.#view <= MAX_VIEW;
  }

  #forget(): void {
    this.#view = -1;
    this.#snapshot = -1;
    this.#left = 0;
  }

  #fill(stamp: ViewStamp): void {
    const back = this.#newestReceived - this.#snapshot;
    stamp.viewTick = this.#view < 0 ? -1 : this.#view / 256;
    stamp.snapshotTick = this.#snapshot;
    stamp.receiptMask = this.#snapshot < 0 || back > 31 ? 0 : (this.#receipts >>> back) | 0;
    stamp.mode = this.#mode;
  }

  /** The snapshot that the next older input should have. */
  #expected(): number {
    return this.#left > 0 ? this.#snapshot : this.#before(this.#snapshot);
  }

  #advance(snapshot: number, asExpected: boolean): void {
    if (snapshot === this.#snapshot) this.#left = asExpected ? Math.max(0, this.#left - 1) : 0;
    else {
      this.#left = Math.max(0, this.#snapshot - snapshot - 1);
      this.#snapshot = snapshot;
    }
  }

  /** The newest receipt before a snapshot, -1: none. */
  #before(snapshot: number): number {
    const back = this.#newestReceived - snapshot;
    const older = snapshot < 0 || back > 31 ? 0 : this.#receipts >>> back;
    return older === 0 ? -1 : snapshot - 1 - (31 - Math.clz32(older & -older));
  }

  /** Receipts from the last stamp's snapshot back to this one; -1 when it is none of them. */
  #stepsTo(snapshot: number): number {
    let steps = 0;
    let at = this.#snapshot;
    while (at > snapshot && at >= 0) {
      at = this.#before(at);
      steps++;
    }
    return at === snapshot && at >= 0 ? steps : -1;
  }

  /** -1 when there are not so many. */
  #readSteps(from: number, reader: BitReader): number {
    let at = from;
    while (at >= 0 && reader.bits(1) === 0) at = reader.failed ? -1 : this.#before(at);
    return at;
  }
}

function writeUnary(steps: number, writer: BitWriter): void {
  for (let i = 0; i < steps; i++) writer.bits(0, 1);
  writer.bits(1, 1);
}

/** "Not as expected" and "more", in 3 bits. */
const WHOLE = 6;
const LINEAR = modeNumber("linear");
const MAX_LEFT = 7;
/** In 1/256 tick: a stamp whose view is farther from its snapshot or from the next view is sent as none, or whole. */
const FARTHEST = 2 ** 24;
const MAX_VIEW = 0x7fffffff * 256;
