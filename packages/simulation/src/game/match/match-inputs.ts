/**
 * The inputs of all players of a match, as its step reads them: one row for each seat, filled anew in every tick by the
 * seat's `ClientPredictionHandler`, checked by the game, and remembered with what came of it.
 */
import { StateTable } from "../../state/index.ts";
import { sameWords } from "../../state/fields/leaf-codec.ts";
import type { Fields, RowIdentity } from "../../state/index.ts";
import { ClientPredictionHandler } from "../../prediction/input/client-prediction-handler.ts";
import type { InputCounters, InputPolicy } from "../../prediction/input/client-prediction-handler.ts";
import { InputDecoder } from "../../prediction/input/input-decoder.ts";
import type { AnyGame, Inputs, InputView } from "../define-game.ts";
import type { AnyWorldTable } from "../world.ts";
import type { Seat } from "./seat.ts";

export class MatchInputs {
  /** What a step reads. */
  readonly view: Inputs<Fields>;
  readonly decoder: InputDecoder;
  readonly #game: AnyGame;
  readonly #seats: readonly (Seat | undefined)[];
  readonly #policy: InputPolicy;
  /** A row for each seat; that behind the last seat is never written: the neutral input. Then one for what came late. */
  readonly #table: StateTable<Fields>;

  constructor(game: AnyGame, seats: readonly (Seat | undefined)[], policy: InputPolicy, now?: () => number) {
    this.#game = game;
    this.#seats = seats;
    this.#policy = policy;
    this.decoder = new InputDecoder(game.input, now);
    const neutral = seats.length;
    this.#table = new StateTable<Fields>(game.input, { capacity: neutral + 2 });
    for (let seat = 0; seat <= neutral + 1; seat++) this.#table.insert(seat, seat);
    this.view = {
      of: (row: RowIdentity): InputView<Fields> => this.#table.rowAt(this.#seatOf(row)?.id ?? neutral),
      isPresent: (row: RowIdentity): boolean => this.#seatOf(row)?.connected ?? false,
    };
    // What cannot be is the caller's mistake at once, not when the first player comes.
    this.createHandler(0);
  }

  /** The records of this tick's inputs, one after the other by seat. */
  get words(): Int32Array {
    return this.#table.words;
  }

  createHandler(tick: number, counters?: InputCounters): ClientPredictionHandler {
    const { game, policy } = { game: this.#game, policy: this.#policy };
    const keepsLate = game.late !== undefined;
    const handler = new ClientPredictionHandler(game.input, game.tickRate, this.decoder, policy, counters, keepsLate);
    handler.reset(tick);
    return handler;
  }

  /** Makes a seat's input the neutral one. */
  clear(seat: number): void {
    this.#table.writeWords(seat, this.#game.input.initialWords);
  }

  /** Makes the input of `tick` that of the seat's row. */
  take({ id, handler, lateNews }: Seat, tick: number): void {
    const table = this.#table;
    const { idle, sanitize, input } = this.#game;
    handler.take(tick);
    const { words, origin } = handler;
    if (origin === 0) lateNews.note(handler.stamp);
    if (origin === 0 || (idle === undefined && origin === 1)) {
      this.#set(id, words);
      if (sanitize === undefined) return;
    } else if (idle === undefined || !handler.copyNewest()) this.#set(id, input.initialWords);
    else {
      this.#set(id, words);
      idle(table.rowAt(id), handler.missedInARow, id);
      table.settleRow(id);
    }
    if (sanitize !== undefined) {
      sanitize(table.rowAt(id), id);
      table.settleRow(id);
    }
    table.readWords(id, words);
  }

  /** The oldest input of the seat that came too late for its own tick, into `late`; returns that tick, -1: there is none. */
  takeLate({ id, handler }: Seat): number {
    const tick = handler.takeLate();
    if (tick < 0) return -1;
    const table = this.#table;
    const place = this.#seats.length + 1;
    table.writeWords(place, handler.lateWords);
    this.#game.sanitize?.(table.rowAt(place), id);
    table.settleRow(place);
    return tick;
  }

  /** What `takeLate` has taken. */
  get late(): InputView<Fields> {
    return this.#table.rowAt(this.#seats.length + 1);
  }

  /** Remembers the inputs of `tick` and what the players' entities, which are settled, have become. */
  record(tick: number, tables: readonly AnyWorldTable[]): void {
    let any = false;
    for (const seat of this.#seats) if (seat?.connected === true && seat.handler.beginRecord(tick)) any = true;
    if (!any) return;
    for (let t = 0; t < tables.length; t++) {
      const { owners, alive, words, wordCount, highWater } = tables[t];
      for (let index = 0; index < highWater; index++) {
        const owner = owners[index];
        if (alive[index] === 0 || owner < 0) continue;
        const seat = this.#seats[owner];
        if (seat?.connected !== true) continue;
        seat.handler.history.add(t, tables[t].idAt(index), words, index * wordCount, wordCount);
      }
    }
  }

  /** Most inputs are what they were in the tick before. */
  #set(id: number, words: Int32Array): void {
    const { words: records, wordCount } = this.#table;
    if (!sameWords(records, id * wordCount, words, 0, wordCount)) this.#table.writeWords(id, words);
  }

  #seatOf(row: RowIdentity): Seat | undefined {
    return row.owner < 0 ? undefined : this.#seats[row.owner];
  }
}
