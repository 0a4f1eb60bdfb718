/**
 * A state table as a game's step sees it: the table itself, and what a player saw of it.
 *
 * Only the server decides which entities there are. A client whose game says so (`prediction.spawns`) spawns its own
 * ahead of the server; elsewhere `spawn` on a client gives a row that nobody sees. `despawn` hides a predicted entity
 * until the server has the last word on it, and leaves others alone.
 */
import { StateTable } from "../state/index.ts";
import type { Fields, Row, RowIdentity, StateDefinition, Values } from "../state/index.ts";
import type { PredictedSpawns } from "../prediction/spawns/predicted-spawns.ts";
import type { VictimSource } from "../rewind/fairness/fair-victims.ts";
import type { ShotSight } from "../rewind/shot-sight.ts";

/** Finds what the owner of a row saw of one table. */
export interface Sight<F extends Fields> {
  seenBy(row: RowIdentity, weapon?: string): ShotSight<F>;
}

/** On the server: gives a player's spawn the key by which its client knows it. */
export interface SpawnWitness {
  noteSpawn(id: number, owner: number): number;
}

export class WorldTable<F extends Fields, N extends string = string> extends StateTable<F> {
  readonly state: StateDefinition<F>;
  /** What the game calls the state; "" when the table is in no world. */
  readonly name: N;
  /** Set by the match or the client that owns the world. */
  sight: Sight<F> | undefined;
  /** Set on a server: what exceptions in favour of victims look at. */
  victims: VictimSource | undefined;
  /** Set on a server whose clients spawn ahead of it. */
  witness: SpawnWitness | undefined;
  /** Set on a client that spawns ahead of the server. */
  spawns: PredictedSpawns | undefined;
  readonly #isServer: boolean;
  /** By index: id and key of the row that a player's step spawned. */
  #keys: Int32Array | undefined;
  #keyIds: Int32Array | undefined;
  #scratch: StateTable<F> | undefined;

  /** `capacity`: more than the state's where a client has rows of its own. */
  constructor(state: StateDefinition<F>, isServer: boolean, capacity: number = state.capacity, name: N = "" as N) {
    super(state, { capacity });
    this.state = state;
    this.name = name;
    this.#isServer = isServer;
  }

  /**
   * What the player who owns `row` saw when it gave the input of this tick. `row` itself is never hit. `weapon`: the name of
   * one that may be favoured otherwise (`FavorTheShooterSettings.weapons`); its queries come before another one's.
   */
  seenBy(row: RowIdentity, weapon?: string): ShotSight<F> {
    if (this.sight === undefined) throw new TypeError("this table belongs to no world that is being stepped");
    return this.sight.seenBy(row, weapon);
  }

  override spawn(owner = -1, values?: Partial<Values<F>>): Row<F> {
    if (this.#isServer) {
      const row = super.spawn(owner, values);
      if (this.witness !== undefined && owner >= 0) this.noteKey(row.id, this.witness.noteSpawn(row.id, owner));
      return row;
    }
    const id = this.spawns?.claim(owner) ?? -1;
    if (id < 0) {
      this.#scratch ??= new StateTable(this.state, { capacity: 1 });
      this.#scratch.clear();
      return this.#scratch.spawn(owner, values);
    }
    const row = this.insert(id, owner);
    if (values !== undefined) {
      this.assign(row.index, values);
      this.settleRow(row.index);
    }
    return row;
  }

  override despawn(row: RowIdentity): void {
    if (this.#isServer || (this.simulated[row.index] === 1 && !this.#isUnseen(row))) super.despawn(row);
  }

  override setOwner(row: RowIdentity, owner: number): void {
    if (!this.#isUnseen(row)) super.setOwner(row, owner);
  }

  /** Remembers the key of a row that a player's step spawned. */
  noteKey(id: number, key: number): void {
    this.#keys ??= new Int32Array(this.capacity);
    this.#keyIds ??= new Int32Array(this.capacity);
    this.#keys[id & 0xffff] = key;
    this.#keyIds[id & 0xffff] = id;
  }

  /** What a row is called on both sides: its id, or -1 - its spawn key. */
  identityOf(row: RowIdentity): number {
    const { id, index } = row;
    const provisional = this.spawns?.keyAt(index) ?? 0;
    if (provisional > 0) return -1 - provisional;
    const key = this.#keyIds?.[index] === id ? (this.#keys?.[index] ?? 0) : 0;
    return key > 0 ? -1 - key : id;
  }

  /** Whether it came from `spawn` on a client: its index is not one of this table. */
  #isUnseen(row: RowIdentity): boolean {
    return row === this.#scratch?.rowAt(0);
  }
}
