/**
 * A client's own spawns of one table, until the server's word on them: rows of their own behind those of the server.
 * A spawn is known by its key, the tick and how many came before it in that tick; a replay that spawns it again gets the
 * same row under the same id, and the server names the key with the entity it made of it.
 */

/** Hears what became of a client's own spawns. */
export interface SpawnListener {
  /** The server spawned it, too: the row `provisional` is now the row `id`, drawn on without a break. */
  matched?(table: string, provisional: number, id: number): void;
  /** The server did not, or a replay did not any more: the row is gone. */
  vanished?(table: string, provisional: number): void;
}

export interface SpawnStats {
  /** Rows that this client spawned ahead of the server. */
  predicted: number;
  /** Of these, the server spawned, and did not. */
  matched: number;
  unmatched: number;
  /** Not predicted because too many were waiting for the server's word. */
  refused: number;
}

/** Key of a spawn: positive; tick and place in the tick. */
export function spawnKey(tick: number, ordinal: number): number {
  return 1 + ((tick & 0xffffff) * MAX_SPAWNS_PER_TICK + ordinal);
}

/** Spawns of one owner in one table and tick that can be told apart. */
export const MAX_SPAWNS_PER_TICK = 32;

export class PredictedSpawns {
  readonly #table: string;
  readonly #seatOf: () => number;
  /** Index of the first provisional row. */
  readonly first: number;
  readonly stats: SpawnStats;
  listener: SpawnListener | undefined;
  /** By place: key (0: free), tick, id; whether the last simulation of its tick spawned it. */
  readonly #keys: Int32Array;
  readonly #ticks: Int32Array;
  readonly #ids: Int32Array;
  readonly #spawned: Uint8Array;
  readonly #generations: Uint8Array;
  /** By index of the table: provisional index that the row was before the last reconciliation, -1 for none. */
  readonly #origins: Int32Array;
  #matches = 0;
  #tick = -1;
  #ordinal = 0;

  /** `table`: its name; `seatOf`: this client's seat. */
  constructor(table: string, first: number, count: number, stats: SpawnStats, seatOf: () => number) {
    this.#seatOf = seatOf;
    this.#table = table;
    this.first = first;
    this.stats = stats;
    this.#keys = new Int32Array(count);
    this.#ticks = new Int32Array(count);
    this.#ids = new Int32Array(count);
    this.#spawned = new Uint8Array(count);
    this.#generations = new Uint8Array(count);
    this.#origins = new Int32Array(first).fill(-1);
  }

  clear(): void {
    this.#keys.fill(0);
    this.#origins.fill(-1);
    this.#matches = 0;
  }

  beginTick(tick: number): void {
    this.#tick = tick;
    this.#ordinal = 0;
    for (let place = 0; place < this.#keys.length; place++)
      if (this.#keys[place] !== 0 && this.#ticks[place] === tick) this.#spawned[place] = 0;
  }

  /** Id of the row for the owner's next spawn of this tick; -1 when there is no room, or it is not this client's. */
  claim(owner: number): number {
    if (owner < 0 || owner !== this.#seatOf()) return -1;
    if (this.#ordinal === MAX_SPAWNS_PER_TICK) return this.#refuse();
    const key = spawnKey(this.#tick, this.#ordinal++);
    let place = this.#keys.indexOf(key);
    if (place < 0) {
      place = this.#keys.indexOf(0);
      if (place < 0) return this.#refuse();
      this.#keys[place] = key;
      this.#ticks[place] = this.#tick;
      this.#ids[place] = (this.first + place) | (this.#generations[place]++ << 16);
      this.stats.predicted++;
    }
    this.#spawned[place] = 1;
    return this.#ids[place];
  }

  /** Key of the provisional row at an index of the table; 0 when there is none. */
  keyAt(index: number): number {
    return index >= this.first ? this.#keys[index - this.first] : 0;
  }

  /** Id of the provisional row of a key, -1 when there is none. */
  idOf(key: number): number {
    const place = this.#keys.indexOf(key);
    return place < 0 ? -1 : this.#ids[place];
  }

  /** Whether a spawn of `tick` or before waits for the server's word. */
  isDue(tick: number): boolean {
    for (let place = 0; place < this.#keys.length; place++)
      if (this.#keys[place] !== 0 && this.#ticks[place] <= tick) return true;
    return false;
  }

  /** A reconciliation begins: what matched in the one before is history. */
  begin(): void {
    if (this.#matches > 0) this.#origins.fill(-1);
    this.#matches = 0;
  }

  /** The server's entity `id` is the spawn of this key. */
  match(key: number, id: number): void {
    const place = this.#keys.indexOf(key);
    if (place < 0) return;
    this.#keys[place] = 0;
    this.#origins[id & 0xffff] = this.first + place;
    this.#matches++;
    this.stats.matched++;
    this.listener?.matched?.(this.#table, this.#ids[place], id);
  }

  /** After the reconciliation with the server's state of `tick`: what it did not name, or a replay did not spawn again, is over. */
  end(tick: number): void {
    for (let place = 0; place < this.#keys.length; place++) {
      if (this.#keys[place] === 0 || (this.#ticks[place] > tick && this.#spawned[place] === 1)) continue;
      this.#keys[place] = 0;
      this.stats.unmatched++;
      this.listener?.vanished?.(this.#table, this.#ids[place]);
    }
  }

  /** The provisional index that the row at `index` was before the last reconciliation; -1 when it was none. */
  originOf(index: number): number {
    return index < this.first ? this.#origins[index] : -1;
  }

  #refuse(): number {
    this.stats.refused++;
    return -1;
  }
}
