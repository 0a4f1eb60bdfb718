/**
 * Which region and node served a client last. Kept in memory, the most recent ones; and in the store, written behind in
 * batches, so that it outlives a balancer. Read from there only ahead of need: a player never waits for the store.
 */
import type { StateStore } from "../store/state-store.ts";

export interface LastPlace {
  readonly region: string;
  readonly nodeId: string;
}

const MAX_CLIENTS = 200_000;
const FLUSH_EVERY_MS = 1000;
const MAX_FLUSHED = 256;
const MAX_UNSAVED = 20_000;
/** The store forgets who has not played for a month. */
const KEPT_MS = 30 * 24 * 3600 * 1000;

export class LastRegions {
  readonly #store: StateStore;
  readonly #places: Map<string, LastPlace> = new Map();
  readonly #unsaved: Map<string, LastPlace> = new Map();
  #flushAt = 0;

  constructor(store: StateStore) {
    this.#store = store;
  }

  of(clientId: string): LastPlace | undefined {
    return this.#places.get(clientId);
  }

  note(clientId: string, place: LastPlace): void {
    const last = this.#places.get(clientId);
    this.#places.delete(clientId);
    this.#places.set(clientId, place);
    if (this.#places.size > MAX_CLIENTS) this.#places.delete(firstOf(this.#places));
    // Another node of the same region is not worth a write.
    if (last?.region === place.region) return;
    this.#unsaved.set(clientId, place);
    if (this.#unsaved.size > MAX_UNSAVED) this.#unsaved.delete(firstOf(this.#unsaved));
  }

  /** Asks the store about a client who is not known here, for the next time that it is routed. */
  async prefetch(clientId: string): Promise<void> {
    if (this.#places.has(clientId)) return;
    const entry = await this.#store.get(`${PREFIX}${clientId}`).catch(() => undefined);
    if (entry !== undefined && !this.#places.has(clientId))
      this.#places.set(clientId, JSON.parse(entry.value) as LastPlace);
  }

  tick(now: number): void {
    if (now < this.#flushAt) return;
    this.#flushAt = now + FLUSH_EVERY_MS;
    void this.flush();
  }

  /** What could not be written is dropped: the next time the client plays it is noted again. */
  async flush(): Promise<void> {
    if (this.#store.status === "away") return;
    const batch = [...this.#unsaved].slice(0, MAX_FLUSHED);
    for (const [clientId] of batch) this.#unsaved.delete(clientId);
    await Promise.allSettled(
      batch.map(([clientId, place]) =>
        this.#store.put(`${PREFIX}${clientId}`, JSON.stringify(place), { leaseMs: KEPT_MS }),
      ),
    );
  }
}

const PREFIX = "clients/";

function firstOf(map: ReadonlyMap<string, unknown>): string {
  for (const key of map.keys()) return key;
  return "";
}
