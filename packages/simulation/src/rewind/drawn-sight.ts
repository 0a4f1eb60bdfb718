/** What the player saw, on its own client: the entities where they were last drawn. */
import type { Fields, Hitbox, RowIdentity, StateTable } from "../state/index.ts";
import type { StaticGeometry } from "../game/statics/static-geometry.ts";
import { RaySight } from "./ray-sight.ts";
import { angleColumn } from "./rewound-sight.ts";
import type { SeenPose } from "./seen-by.ts";

export class DrawnSight<F extends Fields> extends RaySight<F> {
  readonly #drawn: StateTable<F>;
  readonly #drawnAngles: Float64Array | undefined;
  readonly #angles: Float64Array | undefined;
  readonly #viewTick: () => number;

  /** `table` is the predicted world's, `drawn` the view's. */
  constructor(
    table: StateTable<F>,
    drawn: StateTable<F>,
    hitbox: Hitbox,
    statics: StaticGeometry,
    viewTick: () => number,
  ) {
    super(table, hitbox, statics);
    this.#drawn = drawn;
    this.#drawnAngles = angleColumn(drawn, hitbox);
    this.#angles = angleColumn(table, hitbox);
    this.#viewTick = viewTick;
  }

  protected override prepare(_row: RowIdentity): void {
    this.viewTick = this.#viewTick();
  }

  protected override locate(index: number, pose: SeenPose): boolean {
    // What is predicted is judged where the prediction has it, as the server will.
    const predicted = this.table.simulated[index] === 1;
    const seen = predicted ? this.table : this.#drawn;
    if (seen.alive[index] === 0) return false;
    pose.x = seen.positionX?.[index] ?? Number.NaN;
    pose.y = seen.positionY?.[index] ?? Number.NaN;
    pose.angle = (predicted ? this.#angles : this.#drawnAngles)?.[index] ?? 0;
    return true;
  }
}
