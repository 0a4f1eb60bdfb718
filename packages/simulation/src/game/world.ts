/** What a game's `step` works on: its tables, the tick, and the geometry that never moves. */
import type { Fields, RowIdentity, StateDefinition, Values } from "../state/index.ts";
import type { MessageDefinition } from "./message.ts";
import { TickRandom } from "./random.ts";
import type { StaticGeometry } from "./static-geometry.ts";
import { WorldTable } from "./world-table.ts";

/** The states of a game: a table each. */
export type States = Readonly<Record<string, StateDefinition>>;

/** The fields of a state or input definition. */
export type FieldsOf<D> = D extends { readonly fields: infer F extends Fields } ? F : never;

/** The tables of a world by name. */
export type Tables<S extends States> = { readonly [K in keyof S]: WorldTable<FieldsOf<S[K]>> };

export type World<S extends States> = WorldBase & Tables<S>;

/** Sends a typed message from a step; `seat` -1: to everybody. */
export type SendFromStep = <F extends Fields>(message: MessageDefinition<F>, value: Values<F>, seat: number) => void;

export class WorldBase {
  /** The tick that is being simulated. */
  tick = 0;
  /** Length of a tick in seconds; always the same. */
  readonly dt: number;
  /** Whether this world decides. On a client it predicts. */
  readonly isServer: boolean;
  /** Whether this tick has been simulated before and is done again after a correction: play no sounds. */
  isReplay = false;
  readonly statics: StaticGeometry;
  /** The same numbers on server and client for the same tick. Not secret. */
  readonly random: TickRandom = new TickRandom();
  readonly #ownRandom = new TickRandom();
  #seed = 0;
  readonly #send: SendFromStep | undefined;

  constructor(tickRate: number, isServer: boolean, statics: StaticGeometry, send: SendFromStep | undefined) {
    this.dt = 1 / tickRate;
    this.isServer = isServer;
    this.statics = statics;
    this.#send = send;
  }

  /**
   * Random numbers of one entity in this tick. Unlike `random` they do not depend on how many other
   * entities drew before it, so a client that predicts only its own player draws the same.
   */
  randomOf(row: RowIdentity): TickRandom {
    this.#ownRandom.reseed(this.#seed, this.tick, row.id + 1);
    return this.#ownRandom;
  }

  /** Sends a typed message to one player (`to`: its seat, `row.owner`) or to all. Does nothing on a client. */
  send<F extends Fields>(message: MessageDefinition<F>, value: Values<F>, to = -1): void {
    this.#send?.(message, value, to);
  }

  /** For the owner of the world: opens a tick. */
  beginTick(tick: number, seed: number, isReplay: boolean): void {
    this.tick = tick;
    this.isReplay = isReplay;
    this.#seed = seed;
    this.random.reseed(seed, tick);
  }
}

/** A world with a table for every state. */
export function createWorld<S extends States>(
  base: WorldBase,
  states: S,
): { world: World<S>; tables: AnyWorldTable[] } {
  const tables: AnyWorldTable[] = [];
  const named: Record<string, AnyWorldTable> = {};
  for (const name of Object.keys(states)) {
    if (name in base) throw new RangeError(`a state cannot be called "${name}": the world has a member of that name`);
    const table: AnyWorldTable = new WorldTable(states[name], base.isServer);
    named[name] = table;
    tables.push(table);
  }
  return { world: Object.assign(base, named) as World<S>, tables };
}

export type AnyWorldTable = WorldTable<Fields>;
