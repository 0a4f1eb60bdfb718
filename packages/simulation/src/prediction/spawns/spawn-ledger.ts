/**
 * The server's side of predicted spawns: which entities a player's step has spawned, under which keys, until the player
 * has a snapshot that said so. Each snapshot's header names those that are not acknowledged.
 */
import type { BitReader, BitWriter } from "@riposte/wire";
import { MAX_SPAWNS_PER_TICK, spawnKey } from "./predicted-spawns.ts";

/** One player's. */
export class SpawnLedger {
  /** Spawns that were not named because too many waited: the player's own picture of them vanishes. */
  dropped = 0;
  #count = 0;
  readonly #tables = new Uint8Array(MAX_ENTRIES);
  readonly #ids = new Int32Array(MAX_ENTRIES);
  readonly #ticks = new Int32Array(MAX_ENTRIES);
  readonly #ordinals = new Uint8Array(MAX_ENTRIES);
  /** Tick of the first snapshot that named it, -1: none has. */
  readonly #sentAt = new Int32Array(MAX_ENTRIES);

  clear(): void {
    this.#count = 0;
  }

  /** Returns the spawn's key; 0 when there are too many in this tick. */
  add(table: number, id: number, tick: number): number {
    let ordinal = 0;
    for (let i = 0; i < this.#count; i++) if (this.#ticks[i] === tick && this.#tables[i] === table) ordinal++;
    if (ordinal === MAX_SPAWNS_PER_TICK || this.#count === MAX_ENTRIES) {
      this.dropped++;
      return 0;
    }
    const at = this.#count++;
    this.#tables[at] = table;
    this.#ids[at] = id;
    this.#ticks[at] = tick;
    this.#ordinals[at] = ordinal;
    this.#sentAt[at] = -1;
    return spawnKey(tick, ordinal);
  }

  /** The player has the snapshot of this tick. */
  acknowledge(tick: number): void {
    let kept = 0;
    for (let i = 0; i < this.#count; i++) {
      const sent = this.#sentAt[i];
      if (sent < 0 || sent > tick) this.#move(i, kept++);
    }
    this.#count = kept;
  }

  /** Names what the player may not know yet in the header of the snapshot of `tick`. */
  write(tick: number, writer: BitWriter): void {
    this.#forget(tick);
    for (let i = 0; i < this.#count; i++) {
      if (this.#sentAt[i] < 0) this.#sentAt[i] = tick;
      writer.bits(1, 1);
      writer.bits(this.#tables[i], 8);
      writer.bits(this.#ids[i], 24);
      writer.bits(tick - this.#ticks[i], AGE_BITS);
      writer.bits(this.#ordinals[i], 5);
    }
    writer.bits(0, 1);
  }

  #forget(tick: number): void {
    let kept = 0;
    for (let i = 0; i < this.#count; i++) if (tick - this.#ticks[i] < 1 << AGE_BITS) this.#move(i, kept++);
    this.#count = kept;
  }

  #move(from: number, to: number): void {
    this.#tables[to] = this.#tables[from];
    this.#ids[to] = this.#ids[from];
    this.#ticks[to] = this.#ticks[from];
    this.#ordinals[to] = this.#ordinals[from];
    this.#sentAt[to] = this.#sentAt[from];
  }
}

/** What a snapshot named: keys, tables and ids. */
export class NamedSpawns {
  count = 0;
  readonly tables: Uint8Array = new Uint8Array(MAX_ENTRIES);
  readonly ids: Int32Array = new Int32Array(MAX_ENTRIES);
  readonly keys: Int32Array = new Int32Array(MAX_ENTRIES);

  /** False when it is malformed. */
  read(reader: BitReader, tables: number): boolean {
    this.count = 0;
    while (reader.bits(1) === 1) {
      if (this.count === MAX_ENTRIES) return false;
      const at = this.count++;
      this.tables[at] = reader.bits(8);
      this.ids[at] = reader.bits(24);
      const age = reader.bits(AGE_BITS);
      const ordinal = reader.bits(5);
      // The tick of the snapshot is read later: `resolve` makes keys of the ages.
      this.keys[at] = age * MAX_SPAWNS_PER_TICK + ordinal;
      if (this.tables[at] >= tables) return false;
    }
    return !reader.failed;
  }

  /** Once the snapshot's tick is known. */
  resolve(tick: number): void {
    for (let i = 0; i < this.count; i++) {
      const packed = this.keys[i];
      const age = Math.floor(packed / MAX_SPAWNS_PER_TICK);
      this.keys[i] = spawnKey(tick - age, packed % MAX_SPAWNS_PER_TICK);
    }
  }
}

const MAX_ENTRIES = 32;
const AGE_BITS = 8;
