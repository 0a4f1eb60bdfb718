/**
 * What the player saw of one state, on its own client: the entities where they were last drawn; and what is predicted, where
 * the prediction has it, as the server will judge it. They are written into a history of one tick, so that the same code
 * answers on both sides.
 */
import type { Fields, StateDefinition, StateTable } from "../state/index.ts";
import { SnapshotHistory } from "./history/snapshot-history.ts";
import { PoseReader } from "./pose-reader.ts";
import type { SightSource } from "./sight-source.ts";
import type { RewindView } from "./rewound-poses.ts";
import type { DrawnPicture } from "./view-resolver.ts";

export class DrawnSight implements SightSource, RewindView {
  readonly isWithin = true;
  readonly isViewCut = false;
  readonly history: SnapshotHistory;
  readonly #table: StateTable<Fields>;
  readonly #drawn: StateTable<Fields>;
  readonly #reader: PoseReader;
  readonly #drawnReader: PoseReader;
  readonly #viewTick: () => number;
  #tick = 0;

  /** `table` is the predicted world's, `drawn` the view's; they may be the same. */
  constructor(
    state: StateDefinition,
    table: StateTable<Fields>,
    drawn: StateTable<Fields>,
    viewTick: () => number = () => -1,
  ) {
    this.#table = table;
    this.#drawn = drawn;
    this.#reader = new PoseReader(state, table);
    this.#drawnReader = new PoseReader(state, drawn);
    this.#viewTick = viewTick;
    this.history = new SnapshotHistory(this.#reader.createHistoryOptions({ tickMs: 1, maxSnapshots: 2 }));
  }

  get viewTick(): number {
    return this.#viewTick();
  }

  viewOf(): RewindView {
    if (!this.#reader.hasPlaces) return this;
    const { history } = this;
    history.begin(this.#tick++);
    const end = Math.max(this.#table.highWater, this.#drawn.highWater, history.usedPlaces);
    for (let index = 0; index < end; index++) {
      if (this.#table.alive[index] === 1 && this.#table.simulated[index] === 1)
        this.#reader.write(history, index, false);
      else if (this.#drawn.alive[index] === 1) this.#drawnReader.write(history, index, false);
      else history.setNobody(index);
    }
    return this;
  }

  resolve(_id: number, out: DrawnPicture): boolean {
    out.fromTick = out.toTick = this.history.newestTick;
    out.fraction = 0;
    return true;
  }

  addLive(): void {
    // Everything is where it is now.
  }
}
