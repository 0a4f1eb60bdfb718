/**
 * What snapshots bring a client: the server's newest word on every entity, which spawns it names, whose inputs it relays,
 * and how the client's own inputs arrive. Keeps what came; draws and predicts nothing.
 */
import { BitReader } from "@riposte/wire";
import type { RelayedInputs } from "../../prediction/input/relayed-inputs.ts";
import type { UpdatedTable } from "../../prediction/interpolation/state-interpolator.ts";
import { NamedSpawns } from "../../prediction/spawns/spawn-ledger.ts";
import { SnapshotReceiver } from "../../state/index.ts";
import type { Fields, StateTable } from "../../state/index.ts";
import type { AnyGame } from "../define-game.ts";

/**
 * What became of a snapshot. "unused": it came twice, too late, before the welcome, or is built on what this client does not
 * have, which is the network's doing. "older": newer ones have overtaken it.
 */
export type SnapshotNews = "malformed" | "unused" | "older" | "newest";

export class SnapshotIntake {
  /** Tick of the newest snapshot; -1 before the first. */
  tick = -1;
  /** Bit i: the snapshot of `tick - 1 - i` came, too, before any newer one. */
  receipts = 0;
  /** Of the newest snapshot: newest input the server had minus its tick, -128: it had none; and what that tick's input was (0: ours). */
  depth = -128;
  origin = 0;
  /** The server's newest word, a table for each state; none before the welcome. */
  states: readonly UpdatedTable[] = [];
  readonly #game: AnyGame;
  readonly #wordCounts: readonly number[];
  readonly #relayed: RelayedInputs | undefined;
  readonly #bits = new BitReader();
  #receiver: SnapshotReceiver | undefined;
  /** Of the newest snapshot, and of the one that is being read. */
  #named = new NamedSpawns();
  #reading = new NamedSpawns();

  constructor(game: AnyGame, relayed: RelayedInputs | undefined) {
    this.#game = game;
    this.#relayed = relayed;
    this.#wordCounts = Object.values(game.states).map(({ wordCount }) => wordCount);
  }

  /** The spawns of this client that the newest snapshot names. */
  get named(): Readonly<NamedSpawns> {
    return this.#named;
  }

  /** The client was welcomed to `seat`: nothing has come yet. */
  start(seat: number): void {
    const { states, tickRate } = this.#game;
    this.#receiver = new SnapshotReceiver({ definitions: states, clientId: seat, tickRate });
    this.states = this.#receiver.tables;
    this.tick = -1;
    this.receipts = 0;
    this.#named.count = 0;
    this.#relayed?.clear();
  }

  /** The connection is gone: what comes until the next welcome is not used. */
  stop(): void {
    this.#receiver = undefined;
    this.states = [];
  }

  read(buffer: Uint8Array, offset: number, length: number): SnapshotNews {
    // A snapshot may overtake the welcome.
    if (this.#receiver === undefined) return "unused";
    const bits = this.#bits.reset(buffer, offset, offset + length);
    bits.bits(8);
    const depth = (bits.bits(8) << 24) >> 24;
    const origin = bits.bits(2);
    if (this.#game.prediction.spawns !== undefined && !this.#reading.read(bits, this.#wordCounts.length))
      return "malformed";
    if (this.#relayed?.read(bits) === false) return "malformed";
    const { stats } = this.#receiver;
    const { malformed } = stats;
    const tick = this.#receiver.read(bits);
    if (tick < 0) return stats.malformed === malformed ? "unused" : "malformed";
    // It may serve as a baseline, but the picture is made without it: no receipt for it.
    if (tick <= this.tick) return "older";
    this.#adopt(tick);
    this.depth = depth;
    this.origin = origin;
    return "newest";
  }

  /** Copies the newest record of an entity of a table; false when there is none. */
  copyNewest(table: number, index: number, id: number, target: Pick<StateTable<Fields>, "writeWords">): boolean {
    const state = this.states[table];
    if (state === undefined || state.present[index] === 0 || state.ids[index] !== id) return false;
    target.writeWords(index, state.words, index * this.#wordCounts[table]);
    return true;
  }

  #adopt(tick: number): void {
    const gap = tick - this.tick;
    const before = this.receipts;
    this.receipts = this.tick < 0 || gap > 32 ? 0 : gap === 32 ? 1 << 31 : (before << gap) | (1 << (gap - 1));
    this.tick = tick;
    this.#reading.resolve(tick);
    const named = this.#named;
    this.#named = this.#reading;
    this.#reading = named;
    this.#relayed?.adopt(tick);
  }
}
