/** What a client draws: the tables of the game with its own entities predicted and the others interpolated. */
import { StateTable } from "../../state/index.ts";
import type { Fields, Row, RowIdentity, StateDefinition } from "../../state/index.ts";
import type { AnyGame } from "../define-game.ts";
import type { MovablePoint } from "../statics/static-geometry.ts";
import { createTables } from "../world.ts";
import type { FieldsOf, States } from "../world.ts";

export class ViewTable<F extends Fields> extends StateTable<F> {
  readonly #source: ViewSource;
  readonly #state: StateDefinition<F>;
  readonly #ordinal: number;
  #newest: StateTable<F> | undefined;

  constructor(state: StateDefinition<F>, ordinal: number, source: ViewSource, capacity: number) {
    super(state, { capacity });
    this.#state = state;
    this.#ordinal = ordinal;
    this.#source = source;
  }

  /** This client's first entity; `undefined` while it has none. */
  get mine(): Row<F> | undefined {
    const { seat } = this.#source;
    return seat < 0 ? undefined : this.firstOwnedBy(seat);
  }

  /** Whether a row belongs to this client. */
  isMine(row: RowIdentity): boolean {
    return row.owner >= 0 && row.owner === this.#source.seat;
  }

  /**
   * The newest word of the server on an entity, not smoothed and not blended: what debugging views
   * call the ghost. The row is reused: read it at once.
   */
  authoritative(row: RowIdentity): Row<F> | undefined {
    const newest = (this.#newest ??= new StateTable<F>(this.#state, { capacity: this.capacity }));
    if (newest.indexOf(row.id) !== row.index) newest.insert(row.id, row.owner);
    return this.#source.copyNewest(this.#ordinal, row.index, row.id, newest) ? newest.rowAt(row.index) : undefined;
  }

  /** The position in `authoritative(row)`, whatever its fields are called; false when there is none. */
  authoritativePlace(row: RowIdentity, out: MovablePoint): boolean {
    if (this.authoritative(row) === undefined) return false;
    const { positionX, positionY } = this.#newest ?? this;
    if (positionX === undefined || positionY === undefined) return false;
    out.x = positionX[row.index];
    out.y = positionY[row.index];
    return true;
  }
}

export interface ViewSource {
  readonly seat: number;
  /** Copies the server's newest record of an entity; false when there is none. */
  copyNewest(table: number, index: number, id: number, target: Pick<StateTable<Fields>, "writeWords">): boolean;
}

export interface ViewBase {
  /** The fractional tick at which remote entities are drawn. */
  tick: number;
  /** The fractional tick at which own entities are drawn. */
  predictedTick: number;
  /** The tick of the server's newest state that own entities agree with: that of `authoritative(mine)`. -1: none yet. */
  confirmedTick: number;
}

export type View<S extends States> = ViewBase & { readonly [K in keyof S]: ViewTable<FieldsOf<S[K]>> };

export type ViewOf<G extends AnyGame> = View<G["states"]>;

export type AnyViewTable = ViewTable<Fields>;

/** `extraRows`: as for `createWorld`. */
export function createView<S extends States>(
  states: S,
  source: ViewSource,
  extraRows: readonly number[] = [],
): { view: View<S>; tables: AnyViewTable[] } {
  const base: ViewBase = { tick: -1, predictedTick: -1, confirmedTick: -1 };
  const create = (state: StateDefinition, place: number, capacity: number): AnyViewTable =>
    new ViewTable(state, place, source, capacity);
  const { named, tables } = createTables(base, states, extraRows, create);
  return { view: Object.assign(base, named) as View<S>, tables };
}
