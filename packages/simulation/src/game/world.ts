/** What a game's `step` works on: its tables, the tick, and the geometry that never moves. */
import type { Fields, RowIdentity, StateDefinition, Values } from "../state/index.ts";
import type { EventDefinition } from "../prediction/events/define-event.ts";
import type { MessageDefinition } from "./message.ts";
import { TickRandom } from "./random.ts";
import type { StaticGeometry } from "./statics/static-geometry.ts";
import { WorldTable } from "./world-table.ts";

/** The states of a game: a table each. */
export type States = Readonly<Record<string, StateDefinition>>;

/** The fields of a state or input definition. */
export type FieldsOf<D> = D extends { readonly fields: infer F extends Fields } ? F : never;

/** The tables of a world by name. */
export type Tables<S extends States> = { readonly [K in keyof S]: WorldTable<FieldsOf<S[K]>, Extract<K, string>> };

export type World<S extends States> = WorldBase & Tables<S>;

/** What a world needs of the match or client that it belongs to. */
export interface WorldOwner {
  /** Key (8 words) of the random numbers of this seat's entities; -1: of nobody's. */
  randomKeyOf(seat: number): Uint32Array;
  /** False when a queue was full or nobody is there. */
  send<F extends Fields>(message: MessageDefinition<F>, value: Values<F>, seat: number): boolean;
  broadcast<F extends Fields>(message: MessageDefinition<F>, value: Values<F>): boolean;
  broadcastNear<F extends Fields>(
    message: MessageDefinition<F>,
    value: Values<F>,
    x: number,
    y: number,
    radius?: number,
    about?: RowIdentity,
  ): boolean;
  emit<F extends Fields>(definition: EventDefinition<F>, row: RowIdentity, value: Values<F>): void;
}

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
  /** The same numbers on server and client for the same tick. Every client can compute them. */
  readonly random: TickRandom = new TickRandom();
  readonly #entityRandom = new TickRandom();
  readonly #owner: WorldOwner;

  constructor(tickRate: number, isServer: boolean, statics: StaticGeometry, owner: WorldOwner) {
    this.dt = 1 / tickRate;
    this.isServer = isServer;
    this.statics = statics;
    this.#owner = owner;
  }

  /**
   * Random numbers of one entity in this tick, from its beginning at each call. The server and the client that owns
   * the entity draw the same; no other client can tell them. They do not depend on what other entities drew. `tick`: of
   * another one, for what comes late.
   */
  randomOf(row: RowIdentity, tick: number = this.tick): TickRandom {
    this.#entityRandom.reseedSecretly(this.#owner.randomKeyOf(row.owner), tick, row.id);
    return this.#entityRandom;
  }

  /** Sends a typed message to the player of one seat (`row.owner`); to nobody when that is -1. Does nothing on a client. */
  send<F extends Fields>(message: MessageDefinition<F>, value: Values<F>, seat: number): void {
    this.#owner.send(message, value, seat);
  }

  /** Sends a typed message to every player. Does nothing on a client. */
  broadcast<F extends Fields>(message: MessageDefinition<F>, value: Values<F>): void {
    this.#owner.broadcast(message, value);
  }

  /**
   * Sends a typed message to the players who may know what happens at (x, y): those whose centre of interest is within
   * `radius`, by default the game's `interest.radius`; without one, to all. With `about`, the entity that it tells of, only
   * to its owner and those who see it, where the game has `interest.visible`. Does nothing on a client.
   */
  broadcastNear<F extends Fields>(
    message: MessageDefinition<F>,
    value: Values<F>,
    x: number,
    y: number,
    radius?: number,
    about?: RowIdentity,
  ): void {
    this.#owner.broadcastNear(message, value, x, y, radius, about);
  }

  /**
   * Tells that something happened to `row` in this tick: a shot, a blast. The client that predicts it plays it at once
   * and once, however often the tick is replayed; others near hear of it from the server. Both sides must emit it.
   * Throws `TypeError` for an event that the game does not list.
   */
  emit<F extends Fields>(definition: EventDefinition<F>, row: RowIdentity, value: Values<F>): void {
    this.#owner.emit(definition, row, value);
  }

  /** For the owner of the world: opens a tick. */
  beginTick(tick: number, seed: number, isReplay: boolean): void {
    this.tick = tick;
    this.isReplay = isReplay;
    this.random.reseed(seed, tick);
  }
}

/** A world with a table for every state, each with so many rows beyond the state's capacity. */
export function createWorld<S extends States>(
  base: WorldBase,
  states: S,
  extraRows: readonly number[] = [],
): { world: World<S>; tables: AnyWorldTable[] } {
  const create = (state: StateDefinition, _place: number, capacity: number, name: string): AnyWorldTable =>
    new WorldTable(state, base.isServer, capacity, name);
  const { named, tables } = createTables(base, states, extraRows, create);
  return { world: Object.assign(base, named) as World<S>, tables };
}

/** What `create` makes of every state, by name and by place; `base` is what will have them as members. */
export function createTables<T>(
  base: object,
  states: States,
  extraRows: readonly number[],
  create: (state: StateDefinition, place: number, capacity: number, name: string) => T,
): { named: Record<string, T>; tables: T[] } {
  const tables: T[] = [];
  const named: Record<string, T> = {};
  for (const [name, state] of Object.entries(states)) {
    if (name in base) throw new RangeError(`a state cannot be called "${name}": there is a member of that name`);
    named[name] = create(state, tables.length, state.capacity + (extraRows[tables.length] ?? 0), name);
    tables.push(named[name]);
  }
  return { named, tables };
}

/** Place of the table that a row belongs to; -1 when it is none of them. */
export function tableOf(tables: readonly AnyWorldTable[], row: RowIdentity): number {
  for (let t = 0; t < tables.length; t++) {
    const { capacity } = tables[t];
    const own: unknown = row.index < capacity ? tables[t].rowAt(row.index) : undefined;
    if (own === row) return t;
  }
  return -1;
}

export type AnyWorldTable = WorldTable<Fields>;
