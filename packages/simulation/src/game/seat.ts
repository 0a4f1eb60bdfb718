/** One place in a match: who has it, what comes from them and what goes to them. */
import type { SnapshotStream } from "../state/index.ts";
import { SpawnLedger } from "../prediction/spawns/spawn-ledger.ts";
import type { InputBuffer, ViewStamp } from "../prediction/input/input-buffer.ts";
import type { DebugLink } from "../debug/debug-link.ts";
import type { RoomClient } from "./define-game.ts";
import type { InterestEye } from "./interest-eye.ts";
import type { MessagePeer } from "./message-router.ts";

/** How a player's inputs arrive, since it took the seat. */
export interface InputStats {
  /** Inputs that came after their tick had been simulated. */
  readonly lateInputs: number;
  /** Inputs for ticks too far ahead, which were dropped. */
  readonly earlyInputs: number;
  /** Ticks that were simulated without their input. */
  readonly missedInputs: number;
  /** Newest input received minus the tick that was simulated. */
  readonly inputBufferDepth: number;
  /** Ticks with a `seenBy` whose view stamp claimed what cannot be (newer than was sent, or never sent) or was beyond the rewind limit, and was cut. */
  readonly clampedViews: number;
}

export interface SeatStats extends InputStats {
  /** Messages dropped as malformed. */
  readonly malformed: number;
  readonly snapshotsSent: number;
  readonly snapshotBytes: number;
}

/** What a server may know of a seat. */
export interface SeatInfo extends RoomClient {
  /** False while the match waits for the player to come back. */
  readonly connected: boolean;
  readonly stats: SeatStats;
}

export interface SeatOptions {
  readonly id: number;
  readonly clientId: bigint;
  readonly userData: Uint8Array;
  readonly inputs: InputBuffer;
  readonly peer: MessagePeer;
  readonly debug: DebugLink;
  readonly stream: SnapshotStream;
  readonly eye: InterestEye;
  readonly randomKey: Uint32Array;
}

export class Seat implements SeatInfo, SeatStats {
  readonly id: number;
  readonly clientId: bigint;
  userData: Uint8Array;
  connected = true;
  /** Tick at which the seat is given up when the player does not come back. */
  expiresAtTick: number = Infinity;
  readonly inputs: InputBuffer;
  readonly peer: MessagePeer;
  /** Closed unless the match opened the debug channel. */
  readonly debug: DebugLink;
  stream: SnapshotStream;
  readonly eye: InterestEye;
  /** Of the random numbers of the player's entities: for the player and the server only. */
  readonly randomKey: Uint32Array;
  /** What the player saw at the input of the current tick. */
  readonly stamp: ViewStamp = { viewTick: -1, snapshotTick: -1, receiptMask: 0 };
  /** 0: the tick's input was received, 1: the last one was repeated, 2: neutral. */
  inputOrigin: 0 | 1 | 2 = 2;
  lastSnapshotTick = -1;
  malformed = 0;
  clampedViews = 0;
  snapshotsSent = 0;
  snapshotBytes = 0;
  /** What the player's step has spawned and its client may not know of. */
  readonly spawns: SpawnLedger = new SpawnLedger();
  readonly #checked: ViewStamp = { viewTick: -1, snapshotTick: -1, receiptMask: 0 };
  #checkedAtTick = -1;
  readonly #sentTicks: Int32Array = new Int32Array(SENT_RING).fill(-1);

  constructor(options: SeatOptions) {
    this.id = options.id;
    this.clientId = options.clientId;
    this.userData = options.userData;
    this.inputs = options.inputs;
    this.peer = options.peer;
    this.debug = options.debug;
    this.stream = options.stream;
    this.eye = options.eye;
    this.randomKey = options.randomKey;
  }

  get stats(): SeatStats {
    return this;
  }

  get lateInputs(): number {
    return this.inputs.late;
  }

  get earlyInputs(): number {
    return this.inputs.early;
  }

  get missedInputs(): number {
    return this.inputs.missed;
  }

  get inputBufferDepth(): number {
    return this.inputs.depth;
  }

  noteSnapshot(tick: number, bytes: number): void {
    this.lastSnapshotTick = tick;
    this.#sentTicks[tick & (SENT_RING - 1)] = tick;
    this.snapshotsSent++;
    this.snapshotBytes += bytes;
  }

  /** Whether a snapshot of this tick was sent in this session, as far back as that is remembered. */
  wasSent(tick: number): boolean {
    return tick >= 0 && this.#sentTicks[tick & (SENT_RING - 1)] === tick;
  }

  /**
   * What the player saw at the input of the current `tick`, as far as that can be true; `undefined` when it gave none.
   * Nobody has drawn much more than the newest snapshot that was sent, nor what is beyond the limit.
   */
  stampAt(tick: number, maxRewindTicks: number, maxExtrapolationTicks: number): Readonly<ViewStamp> | undefined {
    const { viewTick, snapshotTick, receiptMask } = this.stamp;
    if (this.inputOrigin === 2 || viewTick < 0) return undefined;
    const checked = this.#checked;
    if (this.#checkedAtTick === tick) return checked;
    this.#checkedAtTick = tick;
    const newest = Math.max(0, this.lastSnapshotTick);
    const oldest = Math.max(0, tick - maxRewindTicks);
    checked.viewTick = Math.min(Math.max(viewTick, oldest), newest + maxExtrapolationTicks);
    let honest = checked.viewTick === viewTick;
    checked.snapshotTick = snapshotTick;
    checked.receiptMask = 0;
    if (this.wasSent(snapshotTick)) {
      for (let i = 0; i < 32; i++)
        if (((receiptMask >>> i) & 1) === 1 && this.wasSent(snapshotTick - 1 - i)) checked.receiptMask |= 1 << i;
      if (checked.receiptMask !== receiptMask) honest = false;
    } else {
      checked.snapshotTick = Math.min(newest, Math.ceil(checked.viewTick));
      if (snapshotTick >= 0) honest = false;
    }
    if (!honest) this.clampedViews++;
    return checked;
  }

  /** The player is back, or another connection of it: nothing of the old one counts. */
  restart(userData: Uint8Array, stream: SnapshotStream, tick: number): void {
    this.userData = userData;
    this.stream = stream;
    this.connected = true;
    this.expiresAtTick = Infinity;
    this.lastSnapshotTick = -1;
    this.#sentTicks.fill(-1);
    this.disconnect(tick);
    this.connected = true;
  }

  disconnect(tick: number): void {
    this.connected = false;
    this.peer.close();
    this.debug.close();
    this.spawns.clear();
    this.inputs.reset(tick);
    this.stamp.viewTick = -1;
    this.stamp.snapshotTick = -1;
    this.stamp.receiptMask = 0;
    this.inputOrigin = 2;
  }
}

const SENT_RING = 256;
