/**
 * A client's events: each is played once, however often its tick is simulated. What the client predicts plays at once;
 * what only the server knew of plays when it comes, or when the view reaches its tick if the entity is drawn in the past.
 *
 * A predicted event is revoked when it turns out not to have happened: when a replay of its tick does not emit it; when
 * its tick was mispredicted and the server says nothing of it for 100 ms; or when the server says nothing for a second.
 */
import type { Fields, Values } from "../../state/index.ts";
import type { EventDefinition } from "./define-event.ts";
import { EventOrdinals } from "./event-key.ts";
import type { EventKey } from "./event-key.ts";

/** What is known of an event beside its values. */
export interface PlayedEvent {
  readonly tick: number;
  /** Id of the entity that emitted it, at that time. */
  readonly id: number;
  /** Seat of that entity's owner, -1 for nobody or when it is gone. */
  readonly owner: number;
  /** Whether this client predicted it; else the server told of it. */
  readonly predicted: boolean;
}

export type EventListener<V> = (value: V, event: PlayedEvent) => void;

export interface EventStats {
  /** Events played, of which predicted, and those revoked. */
  played: number;
  predicted: number;
  revoked: number;
  /** Forgotten before the server's word because too many were waiting: they may play twice. */
  forgotten: number;
}

/** Where a client predicts and what it draws. */
export interface EventSource {
  /** Whether this client simulates an entity. */
  simulates(table: number, id: number): boolean;
  ownerOf(table: number, id: number): number;
}

interface Entry extends EventKey {
  readonly id: number;
  readonly predicted: boolean;
  readonly value: Values<Fields>;
  owner: number;
  /** The last simulation of its tick emitted it. */
  emitted: boolean;
  /** The server has told of it. */
  heard: boolean;
  played: boolean;
  /** Played when the view is there; -Infinity: in the next frame. */
  dueTick: number;
  /** When the server has told of its state until here, but not of the event, that is final. */
  untilTick: number;
  inDoubt: boolean;
}

interface Subscription {
  readonly play: EventListener<Values<Fields>>;
  readonly revoke: EventListener<Values<Fields>> | undefined;
}

export class PredictedEvents {
  readonly stats: EventStats = { played: 0, predicted: 0, revoked: 0, forgotten: 0 };
  readonly #definitions: readonly EventDefinition[];
  readonly #source: EventSource;
  readonly #doubtTicks: number;
  readonly #patienceTicks: number;
  readonly #ordinals = new EventOrdinals();
  readonly #subscriptions: (readonly Subscription[])[];
  /** By rising age; at most `MAX_WAITING`. */
  readonly #entries: Entry[] = [];
  #tick = -1;
  #confirmedTick = -1;

  constructor(definitions: readonly EventDefinition[], tickMs: number, source: EventSource) {
    this.#definitions = definitions;
    this.#source = source;
    this.#doubtTicks = Math.ceil(DOUBT_MS / tickMs);
    this.#patienceTicks = Math.ceil(PATIENCE_MS / tickMs);
    this.#subscriptions = definitions.map(() => []);
  }

  /** Events that wait for the server's word or for the view. */
  get waiting(): number {
    return this.#entries.length;
  }

  /**
   * Hears events of one kind; `revoke` hears of those that turned out not to have happened. Returns what ends it. Throws
   * `TypeError` for a kind that the game does not list.
   */
  on<F extends Fields>(
    definition: EventDefinition<F>,
    play: EventListener<Values<F>>,
    revoke?: EventListener<Values<F>>,
  ): () => void {
    const kind = this.kindOf(definition);
    const subscription = { play, revoke } as Subscription;
    this.#subscriptions[kind] = [...this.#subscriptions[kind], subscription];
    return () => {
      this.#subscriptions[kind] = this.#subscriptions[kind].filter((other) => other !== subscription);
    };
  }

  /** Place of a definition in the game's list. Throws `TypeError` when it is not there. */
  kindOf(definition: unknown): number {
    return kindOf(this.#definitions, definition);
  }

  /** Another session begins. */
  clear(): void {
    this.#entries.length = 0;
    this.#confirmedTick = -1;
  }

  /** A tick is about to be simulated, for the first time or again; `isPart`: only rows that are `simulated` now. */
  beginTick(tick: number, isPart = false): void {
    this.#tick = tick;
    this.#ordinals.reset();
    for (let i = 0; i < this.#entries.length; i++) {
      const entry = this.#entries[i];
      if (entry.tick === tick && !(isPart && !this.#source.simulates(entry.table, entry.id))) entry.emitted = false;
    }
  }

  /** The step emits an event. */
  emit(kind: number, table: number, entity: number, id: number, owner: number, value: Values<Fields>): void {
    const ordinal = this.#ordinals.next(kind, table, entity);
    if (ordinal < 0) return;
    const known = this.#find(this.#tick, kind, table, entity, ordinal);
    if (known !== undefined) {
      known.emitted = true;
      if (!known.played) this.#play(known);
      return;
    }
    const key = { tick: this.#tick, kind, table, entity, ordinal };
    const entry = this.#add(key, id, owner, { ...value }, true);
    entry.emitted = true;
    this.#play(entry);
  }

  /** The server tells of an event. */
  hear(key: Readonly<EventKey>, id: number, value: Values<Fields>): void {
    const known = this.#find(key.tick, key.kind, key.table, key.entity, key.ordinal);
    if (known !== undefined) {
      known.heard = true;
      return;
    }
    const entry = this.#add({ ...key }, id, this.#source.ownerOf(key.table, id), value, false);
    entry.heard = true;
    entry.dueTick = this.#source.simulates(key.table, id) ? -Infinity : key.tick;
  }

  /** The server's state after `tick` has been taken into account; `wrong`: it was mispredicted. */
  confirm(tick: number, wrong: boolean): void {
    let kept = 0;
    const entries = this.#entries;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i];
      if (entry.tick <= tick && entry.tick > this.#confirmedTick && !entry.heard) {
        entry.inDoubt = wrong;
        entry.untilTick = tick + (wrong ? this.#doubtTicks : this.#patienceTicks);
      }
      if (!this.#isOver(entry, tick)) entries[kept++] = entry;
    }
    entries.length = kept;
    this.#confirmedTick = tick;
  }

  /** Plays what is due when the others are drawn at `viewTick`. */
  advance(viewTick: number): void {
    for (let i = 0; i < this.#entries.length; i++) {
      const entry = this.#entries[i];
      if (!entry.played && entry.dueTick <= viewTick) this.#play(entry);
    }
  }

  /** Whether nothing more can come of an event; revokes it when it did not happen. */
  #isOver(entry: Entry, tick: number): boolean {
    if (entry.heard) return entry.played && entry.tick <= tick;
    const silent = entry.untilTick <= tick;
    const unreliable = this.#definitions[entry.kind].channel !== "reliableOrdered";
    if (entry.emitted && !(silent && (entry.inDoubt || !unreliable))) return silent;
    this.stats.revoked++;
    for (const { revoke } of this.#subscriptions[entry.kind]) revoke?.(entry.value, entry);
    return true;
  }

  #play(entry: Entry): void {
    entry.played = true;
    this.stats.played++;
    if (entry.predicted) this.stats.predicted++;
    for (const { play } of this.#subscriptions[entry.kind]) play(entry.value, entry);
  }

  #find(tick: number, kind: number, table: number, entity: number, ordinal: number): Entry | undefined {
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const entry = this.#entries[i];
      if (
        entry.tick === tick &&
        entry.kind === kind &&
        entry.entity === entity &&
        entry.table === table &&
        entry.ordinal === ordinal
      )
        return entry;
    }
    return undefined;
  }

  #add(key: EventKey, id: number, owner: number, value: Values<Fields>, predicted: boolean): Entry {
    if (this.#entries.length === MAX_WAITING) {
      const oldest = this.#entries.shift();
      if (oldest !== undefined && !oldest.played) this.#play(oldest);
      this.stats.forgotten++;
    }
    const entry: Entry = {
      ...key,
      id,
      owner,
      predicted,
      value,
      emitted: false,
      heard: false,
      played: false,
      dueTick: -Infinity,
      untilTick: Infinity,
      inDoubt: false,
    };
    this.#entries.push(entry);
    return entry;
  }
}

/** Place of a definition in a game's list of events. Throws `TypeError` when it is not there. */
export function kindOf(definitions: readonly EventDefinition[], definition: unknown): number {
  for (let kind = 0; kind < definitions.length; kind++) {
    const listed: unknown = definitions[kind];
    if (listed === definition) return kind;
  }
  throw new TypeError("the event is not in the game's list of events");
}

/** Events that wait for the server's word or for the view. */
const MAX_WAITING = 256;
const DOUBT_MS = 100;
/** Longer than a lost reliable message takes to come again. */
const PATIENCE_MS = 1000;
