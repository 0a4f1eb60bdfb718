/**
 * What a match tells of one player: to the player itself over the debug channel, and to whoever runs the server. Only of
 * the player's own entities, and only fields that the player may see. Reading allocates; nobody does it in a tick.
 */
import { readReceipt } from "../rewind/receipts/shot-receipt.ts";
import { writeShot } from "./shot-account.ts";
import type { PresentPlace, ShotAnswer } from "./shot-account.ts";
import type { AnyGame } from "../game/define-game.ts";
import type { States, World } from "../game/world.ts";
import type { AbilityView } from "../prediction/abilities/inspect-abilities.ts";
import type { ClientPredictionHandler, InputCounters } from "../prediction/input/client-prediction-handler.ts";
import { readRecords } from "../prediction/input/record-reader.ts";
import { wordsToValues } from "../state/index.ts";
import type { DebugAnswer } from "./debug-link.ts";
import { isObject, plainValues, playerTick } from "./player-history.ts";
import type { PlainFields, PlayerHistory } from "./player-history.ts";

export interface InputBufferReport {
  /** The tick that was simulated last. */
  readonly tick: number;
  /** How the player's inputs arrive. */
  readonly counters: Readonly<InputCounters>;
  /** Inputs that have arrived and wait for their tick, by rising tick. */
  readonly waiting: readonly { readonly tick: number; readonly input: PlainFields }[];
}

/** Both ends included. */
export interface TickRange {
  readonly fromTick?: number;
  readonly toTick?: number;
}

/** The player that is looked at: a seat of a match. */
export interface DebuggedSeat {
  readonly id: number;
  readonly handler: ClientPredictionHandler;
  readonly stats: InputCounters;
}

export class SeatDebug {
  /** For the player's `DebugLink`. */
  readonly answers: Readonly<Record<string, DebugAnswer>> = {
    inputBuffer: () => this.inputBuffer(),
    history: (parameters) => this.history(rangeOf(parameters), MAX_TICKS_IN_MESSAGE),
    abilities: () => this.abilities(),
    shots: () => newestThatFit(this.shots(MAX_SHOTS_IN_MESSAGE)),
  };
  readonly #game: AnyGame;
  readonly #world: World<States>;
  readonly #seat: () => DebuggedSeat;
  readonly #receiptsOf: (seat: number) => readonly Uint8Array[];

  /** `receiptsOf`: of the last shots of a seat's player, the oldest first. */
  constructor(
    game: AnyGame,
    world: World<States>,
    seat: () => DebuggedSeat,
    receiptsOf: (seat: number) => readonly Uint8Array[],
  ) {
    this.#game = game;
    this.#world = world;
    this.#seat = seat;
    this.#receiptsOf = receiptsOf;
  }

  inputBuffer(): InputBufferReport {
    const { handler, stats } = this.#seat();
    const waiting = Array.from(handler.waiting(), ({ tick, words }) => ({
      tick,
      input: plainValues(wordsToValues(this.#game.input, words)),
    }));
    return { tick: this.#world.tick, counters: { ...stats }, waiting };
  }

  /** Inputs as they were used, and the player's entities after each tick, as far as they are kept; the newest `most`. */
  history(range: TickRange = {}, most: number = Infinity): PlayerHistory {
    const { id, handler } = this.#seat();
    const ticks = readRecords(handler.history, this.#game, range.fromTick, range.toTick);
    return { seat: id, ticks: ticks.slice(-most).map((tick) => playerTick(tick, this.#game)) };
  }

  /** The player's last shots, the newest `most`: how each was judged, and where those who were looked at are now. */
  shots(most: number = Infinity): ShotAnswer[] {
    const receipts = this.#receiptsOf(this.#seat().id).slice(-most);
    return receipts.map((receipt) => {
      const { histories, targets } = readReceipt(receipt);
      const now = histories
        .slice(0, targets)
        .flatMap(({ table, entities }) => entities.flatMap(({ id }) => this.#placeOf(table, id)));
      return writeShot(receipt, now);
    });
  }

  /** Where the entity with this id is, if it still is anywhere. */
  #placeOf(table: string, id: number): PresentPlace[] {
    const { positionX, positionY } = this.#world[table];
    const index = this.#world[table].indexOf(id);
    if (index < 0 || positionX === undefined || positionY === undefined) return [];
    return [{ table, id, x: positionX[index], y: positionY[index] }];
  }

  /** What the game's `inspectAbilities` says of the player now. */
  abilities(): AbilityView | undefined {
    return this.#game.inspectAbilities?.(this.#world, this.#seat().id, this.#world.tick);
  }
}

function rangeOf(parameters: unknown): TickRange {
  if (!isObject(parameters)) return {};
  const { fromTick, toTick } = parameters;
  return {
    ...(typeof fromTick === "number" ? { fromTick } : {}),
    ...(typeof toTick === "number" ? { toTick } : {}),
  };
}

/** As many of the last ones as a message has room for. */
function newestThatFit(shots: readonly ShotAnswer[]): readonly ShotAnswer[] {
  let length = 0;
  let first = shots.length;
  while (first > 0 && (length += JSON.stringify(shots[first - 1]).length) < MAX_SHOTS_LENGTH) first--;
  return shots.slice(first);
}

/** So that an answer fits a message also where states are large. */
const MAX_TICKS_IN_MESSAGE = 24;
const MAX_SHOTS_IN_MESSAGE = 4;
/** Of the 16 KiB of a message. */
const MAX_SHOTS_LENGTH = 16_000;
