/**
 * What makes an event the same on the server and in every replay of a client: its tick, its kind, the entity that
 * emitted it, and how many of this kind the entity had emitted before in this tick.
 */
export interface EventKey {
  tick: number;
  /** Place in the game's list of events. */
  kind: number;
  /** Place of the entity's table in the game's states. */
  table: number;
  /** The entity's id, or -1 - its spawn key when a client may have predicted the entity itself. */
  entity: number;
  ordinal: number;
}

/** Numbers the events of one tick. */
export class EventOrdinals {
  #count = 0;
  readonly #keys = new Float64Array(MAX_EVENTS * 3);
  readonly #next = new Int32Array(MAX_EVENTS);

  /** Begins a tick. */
  reset(): void {
    this.#count = 0;
  }

  /** How many of this kind the entity has emitted in this tick; -1 when the tick has too many emitters. */
  next(kind: number, table: number, entity: number): number {
    const keys = this.#keys;
    for (let i = 0; i < this.#count; i++)
      if (keys[i * 3] === kind && keys[i * 3 + 1] === table && keys[i * 3 + 2] === entity) return this.#next[i]++;
    if (this.#count === MAX_EVENTS) return -1;
    const at = this.#count++;
    keys[at * 3] = kind;
    keys[at * 3 + 1] = table;
    keys[at * 3 + 2] = entity;
    this.#next[at] = 1;
    return 0;
  }
}

/** Entities and kinds of one tick. */
const MAX_EVENTS = 256;
