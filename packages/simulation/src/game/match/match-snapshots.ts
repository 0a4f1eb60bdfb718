/**
 * What goes in front of a client's snapshot: how its inputs arrive, what its step has spawned, and the inputs of
 * others that it predicts; then the snapshot itself.
 */
import { BitWriter } from "@riposte/wire";
import { MAX_RELAYED, writeRelayed } from "../../prediction/input/relayed-inputs.ts";
import type { AnyGame } from "../define-game.ts";
import { MessageKind } from "../message-kind.ts";
import type { AnyWorldTable } from "../world.ts";
import type { MatchInputs } from "./match-inputs.ts";
import type { Seat } from "./seat.ts";

export class MatchSnapshots {
  readonly #game: AnyGame;
  readonly #tables: readonly AnyWorldTable[];
  readonly #seats: readonly (Seat | undefined)[];
  readonly #inputs: MatchInputs;
  /** Place of the state whose players' inputs are relayed, -1 for none. */
  readonly #relayedTable: number;
  /** By seat, while a snapshot is written: 1 when its input is in. */
  readonly #relayed: Uint8Array;
  readonly #bits = new BitWriter();

  constructor(
    game: AnyGame,
    tables: readonly AnyWorldTable[],
    seats: readonly (Seat | undefined)[],
    inputs: MatchInputs,
  ) {
    this.#game = game;
    this.#tables = tables;
    this.#seats = seats;
    this.#inputs = inputs;
    this.#relayedTable = game.tablePredictions.findIndex(({ remoteRadius }) => remoteRadius > 0);
    this.#relayed = new Uint8Array(seats.length);
  }

  /** Writes the snapshot of `tick` and returns its length; 0 when it does not fit, or the seat has had it. */
  write(seat: Seat, tick: number, buffer: Uint8Array, offset: number, capacity: number): number {
    if (seat.lastSnapshotTick >= tick) return 0;
    const bits = this.#bits.reset(buffer, offset, offset + capacity);
    bits.bits(MessageKind.snapshot, 8);
    // Depth as a signed byte, -128 before the first input; then what this tick's input was.
    const { depth, origin } = seat.handler;
    bits.bits((depth === undefined ? -128 : Math.max(-127, Math.min(127, depth))) & 0xff, 8);
    bits.bits(origin, 2);
    if (this.#game.prediction.spawns !== undefined) seat.spawns.write(tick, bits);
    seat.eye.update();
    if (this.#relayedTable >= 0) this.#writeRelayed(seat, tick, bits);
    const written = seat.stream.write(tick, seat.eye.x, seat.eye.y, bits);
    const length = bits.finish() - offset;
    if (!written || bits.failed) return 0;
    seat.noteSnapshot(tick, length);
    return length;
  }

  /** Tells a client the inputs of the players whose entities it has been told of, and will be in this snapshot. */
  #writeRelayed(to: Seat, tick: number, bits: BitWriter): void {
    const table = this.#tables[this.#relayedTable];
    const { input } = this.#game;
    const { x, y } = to.eye;
    let count = 0;
    for (let index = 0; index < table.highWater && count < MAX_RELAYED; index++) {
      const owner = table.owners[index];
      if (table.alive[index] === 0 || owner < 0 || owner === to.id || this.#relayed[owner] === 1) continue;
      if (this.#seats[owner]?.connected !== true || !to.stream.keeps(this.#relayedTable, index, tick, x, y)) continue;
      this.#relayed[owner] = 1;
      count++;
      writeRelayed(input, owner, this.#inputs.words, owner * input.wordCount, bits);
    }
    this.#relayed.fill(0);
    bits.bits(0, 1);
  }
}
