/**
 * Which region and node served a client last. Kept in memory, the most recent ones; and in the store, written behind in
 * batches, so that it outlives a balancer. Read from there only ahead of need: a player never waits for the store.
 *
 * In the store they are in 256 parts, by `clients/<part>/<client id>`, each with the day on which it was written. The leader goes
 * through the parts in turn and removes those who have not played for a month, and the oldest where there are too many.
 */
import { createHash } from "node:crypto";
import type { StateStore } from "../store/state-store.ts";
import { RecentMap } from "./recent-map.ts";

export interface LastPlace {
  readonly region: string;
  readonly nodeId: string;
}

interface SavedPlace extends LastPlace {
  /** Days since 1970. */
  readonly day: number;
}

const MAX_CLIENTS = 200_000;
const FLUSH_EVERY_MS = 1000;
const MAX_FLUSHED = 256;
const MAX_UNSAVED = 20_000;
const PARTS = 256;
/** In the store, of each part: a million in all. */
const MAX_OF_PART = 4096;
const KEPT_DAYS = 30;
/** Who plays where it played before is written again after so long. */
const RENEWED_AFTER_DAYS = 7;
/** In a turn, and of them at once. More than all balancers write into a part between two turns, or the store would grow for ever. */
const MAX_REMOVED = 32_768;
const REMOVED_AT_ONCE = 16;
/** Beyond, who is about to ask is not looked up: the store has more to do than that. */
const MAX_PREFETCHES = 16;
const DAY_MS = 24 * 3600 * 1000;

export class LastRegions {
  readonly #store: StateStore;
  readonly #places: RecentMap<SavedPlace> = new RecentMap(MAX_CLIENTS);
  readonly #unsaved: Set<string> = new Set();
  #flushAt = 0;
  #nextPart = 0;
  #prefetches = 0;

  constructor(store: StateStore) {
    this.#store = store;
  }

  of(clientId: string): LastPlace | undefined {
    return this.#places.get(clientId);
  }

  note(clientId: string, { region, nodeId }: LastPlace, unixMs: number): void {
    const day = Math.floor(unixMs / DAY_MS);
    const last = this.#places.get(clientId);
    // Another node of the same region is not worth a write.
    const isSaved = last?.region === region && day - last.day < RENEWED_AFTER_DAYS;
    this.#places.set(clientId, { region, nodeId, day: isSaved ? last.day : day });
    if (!isSaved) this.#unsaved.add(clientId);
    if (this.#unsaved.size > MAX_UNSAVED) this.#unsaved.delete(firstOf(this.#unsaved));
  }

  /** Asks the store about a client who is not known here, for the next time that it is routed. */
  async prefetch(clientId: string): Promise<void> {
    if (this.#places.get(clientId) !== undefined || this.#prefetches >= MAX_PREFETCHES) return;
    this.#prefetches++;
    const entry = await this.#store.get(keyOf(clientId)).catch(() => undefined);
    this.#prefetches--;
    const place = entry === undefined ? undefined : readPlace(entry.value);
    if (place !== undefined && this.#places.get(clientId) === undefined) this.#places.set(clientId, place);
  }

  tick(now: number): void {
    if (now < this.#flushAt) return;
    this.#flushAt = now + FLUSH_EVERY_MS;
    void this.flush();
  }

  /** What could not be written is dropped: it is noted again when the client plays elsewhere, or a week later. */
  async flush(): Promise<void> {
    if (this.#store.status === "away") return;
    const batch = [...this.#unsaved].slice(0, MAX_FLUSHED);
    for (const clientId of batch) this.#unsaved.delete(clientId);
    await Promise.allSettled(
      batch.map(async (clientId) => this.#store.put(keyOf(clientId), JSON.stringify(this.#places.get(clientId)))),
    );
  }

  /** Removes the old ones of the next part; returns how many. For the leader. Rejects when the store is away. */
  async cleanNextPart(unixMs: number): Promise<number> {
    const part = this.#nextPart;
    this.#nextPart = (part + 1) % PARTS;
    const oldest = Math.floor(unixMs / DAY_MS) - KEPT_DAYS;
    const entries = (await this.#store.list(`${PREFIX}${nameOf(part)}/`))
      .map(({ key, value }) => ({ key, day: readPlace(value)?.day ?? 0 }))
      .sort((a, b) => a.day - b.day);
    const tooMany = entries.length - MAX_OF_PART;
    const removed = entries.filter(({ day }, i) => day < oldest || i < tooMany).slice(0, MAX_REMOVED);
    const queue = removed.values();
    const remove = async (): Promise<void> => {
      for (const { key } of queue) await this.#store.delete(key);
    };
    await Promise.all(Array.from({ length: REMOVED_AT_ONCE }, remove));
    return removed.length;
  }
}

const PREFIX = "clients/";

function keyOf(clientId: string): string {
  return `${PREFIX}${nameOf(createHash("sha256").update(clientId).digest()[0])}/${clientId}`;
}

function nameOf(part: number): string {
  return part.toString(16).padStart(2, "0");
}

function readPlace(text: string): SavedPlace | undefined {
  try {
    const { region, nodeId, day } = JSON.parse(text) as Partial<SavedPlace>;
    const isFine = typeof region === "string" && typeof nodeId === "string" && typeof day === "number";
    return isFine ? { region, nodeId, day } : undefined;
  } catch {
    return undefined;
  }
}

function firstOf(names: Iterable<string>): string {
  for (const name of names) return name;
  return "";
}
