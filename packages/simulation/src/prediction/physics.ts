/**
 * Physics engines in a predicted game: an engine keeps a hidden state beside the fields (contacts, warm starts, sleep),
 * which a replay must take back, too. The game wraps its engine in an adapter; a client saves it after every predicted
 * tick within a limit of bytes, and loads it before a replay. The fields stay the truth: only they are sent.
 */
import type { States, World, WorldBase } from "../game/world.ts";

export interface PhysicsAdapter {
  /** The whole hidden state. The array is copied: it may be reused. */
  save(): Uint8Array;
  /** Back to what was saved. The engine may have to be built anew; entities may have come and gone since. */
  load(saved: Uint8Array): void;
  /** One tick, after the game's `step`: takes the fields over into the engine, steps it, and writes the fields. */
  step(): void;
}

export interface PhysicsOptions {
  /** A larger save is not kept, and counted. Default 256 KiB. */
  readonly maxSaveBytes?: number;
  /** Of all saves of a client; the oldest go first. Default 8 MiB. */
  readonly maxBytes?: number;
}

/** What a game gives as `prediction.physics`. */
export interface PhysicsDefinition {
  readonly maxSaveBytes: number;
  readonly maxBytes: number;
  /** For the match or client that owns a world: makes its engine. */
  attach(world: WorldBase): PhysicsAdapter;
}

/** The engine of each world of a game: `physics.of(world)` in `join` and `step`. */
export interface Physics<A extends PhysicsAdapter> extends PhysicsDefinition {
  /** Throws `TypeError` for a world of a game that does not list it. */
  of(world: WorldBase): A;
}

/** `create` is called once for every world, the server's and each client's; `states` are the game's. */
export function definePhysics<const S extends States, A extends PhysicsAdapter>(
  states: S,
  create: (world: World<S>) => A,
  options: PhysicsOptions = {},
): Physics<A> {
  const { maxSaveBytes = 256 * 1024, maxBytes = 8 * 1024 * 1024 } = options;
  if (!(maxSaveBytes > 0)) throw new RangeError(`definePhysics: maxSaveBytes must be above 0, got ${maxSaveBytes}`);
  if (!(maxBytes >= maxSaveBytes))
    throw new RangeError(`definePhysics: maxBytes must be at least maxSaveBytes, got ${maxBytes}`);
  const engines = new WeakMap<object, A>();
  return {
    maxSaveBytes,
    maxBytes,
    attach: (world) => {
      for (const name of Object.keys(states))
        if (!(name in world)) throw new TypeError(`definePhysics: the game has no state "${name}"`);
      // A world is its base with a table for each state.
      const engine = create(world as World<S>);
      engines.set(world, engine);
      return engine;
    },
    of: (world) => {
      const engine = engines.get(world);
      if (engine === undefined) throw new TypeError("the game of this world has other physics, or none");
      return engine;
    },
  };
}

export interface PhysicsStats {
  /** Saves that were larger than the limit, and replays that had none to begin with. */
  refusedSaves: number;
  missingLoads: number;
  /** Bytes and ticks held. */
  bytes: number;
  savedTicks: number;
}

/** Saves of the last ticks, within a limit of bytes. */
export class PhysicsHistory {
  readonly stats: PhysicsStats = { refusedSaves: 0, missingLoads: 0, bytes: 0, savedTicks: 0 };
  readonly #adapter: PhysicsAdapter;
  readonly #maxSaveBytes: number;
  readonly #maxBytes: number;
  readonly #ticks: Int32Array;
  /** Memory of a slot is kept for the next save of its length. */
  readonly #saves: (Uint8Array | undefined)[];

  /** `ringTicks`: a power of two. */
  constructor(adapter: PhysicsAdapter, definition: PhysicsDefinition, ringTicks: number) {
    this.#adapter = adapter;
    this.#maxSaveBytes = definition.maxSaveBytes;
    this.#maxBytes = definition.maxBytes;
    this.#ticks = new Int32Array(ringTicks).fill(-1);
    this.#saves = Array.from({ length: ringTicks }, () => undefined);
  }

  step(): void {
    this.#adapter.step();
  }

  /** Keeps the engine's state after `tick`. */
  record(tick: number): void {
    const at = tick & (this.#ticks.length - 1);
    const saved = this.#adapter.save();
    if (saved.length > this.#maxSaveBytes) {
      this.#drop(at);
      this.stats.refusedSaves++;
      return;
    }
    if (this.#saves[at]?.length !== saved.length) {
      this.#drop(at);
      // The oldest make room.
      for (let age = this.#ticks.length - 1; age > 0 && this.stats.bytes + saved.length > this.#maxBytes; age--)
        this.#drop((tick - age) & (this.#ticks.length - 1));
      this.#saves[at] = saved.slice();
      this.stats.bytes += saved.length;
      this.stats.savedTicks++;
    } else this.#saves[at].set(saved);
    this.#ticks[at] = tick;
  }

  /** Takes the engine back to after `tick`; counts when that is not kept. */
  load(tick: number): void {
    const at = tick & (this.#ticks.length - 1);
    const saved = this.#ticks[at] === tick ? this.#saves[at] : undefined;
    if (saved === undefined) this.stats.missingLoads++;
    else this.#adapter.load(saved);
  }

  clear(): void {
    for (let at = 0; at < this.#ticks.length; at++) this.#drop(at);
  }

  #drop(at: number): void {
    const saved = this.#saves[at];
    this.#ticks[at] = -1;
    if (saved === undefined) return;
    this.stats.bytes -= saved.length;
    this.stats.savedTicks--;
    this.#saves[at] = undefined;
  }
}
