/**
 * A state table as a game's step sees it: the table itself, and what a player saw of it.
 *
 * Only the server decides which entities there are. On a client `spawn` gives a row that nobody
 * sees: the server's snapshots bring entities. `despawn` hides a predicted entity until the server
 * has the last word on it, and leaves others alone.
 */
import { StateTable } from "../state/index.ts";
import type { Fields, Row, RowIdentity, StateDefinition, Values } from "../state/index.ts";
import type { SeenBy } from "../rewind/seen-by.ts";

/** Finds what the owner of a row saw of one table. */
export interface Sight<F extends Fields> {
  seenBy(row: RowIdentity): SeenBy<F>;
}

export class WorldTable<F extends Fields> extends StateTable<F> {
  readonly state: StateDefinition<F>;
  /** Set by the match or the client that owns the world. */
  sight: Sight<F> | undefined;
  readonly #isServer: boolean;
  #scratch: StateTable<F> | undefined;

  constructor(state: StateDefinition<F>, isServer: boolean) {
    super(state);
    this.state = state;
    this.#isServer = isServer;
  }

  /** What the player who owns `row` saw when it gave the input of this tick. `row` itself is never hit. */
  seenBy(row: RowIdentity): SeenBy<F> {
    if (this.sight === undefined) throw new TypeError("this table belongs to no world that is being stepped");
    return this.sight.seenBy(row);
  }

  override spawn(owner = -1, values?: Partial<Values<F>>): Row<F> {
    if (this.#isServer) return super.spawn(owner, values);
    this.#scratch ??= new StateTable(this.state, { capacity: 1 });
    this.#scratch.clear();
    return this.#scratch.spawn(owner, values);
  }

  override despawn(row: RowIdentity): void {
    if (this.#isServer || (this.simulated[row.index] === 1 && !this.#isUnseen(row))) super.despawn(row);
  }

  override setOwner(row: RowIdentity, owner: number): void {
    if (!this.#isUnseen(row)) super.setOwner(row, owner);
  }

  /** Whether it came from `spawn` on a client: its index is not one of this table. */
  #isUnseen(row: RowIdentity): boolean {
    return row === this.#scratch?.rowAt(0);
  }
}
