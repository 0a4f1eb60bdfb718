/** Writes the pose history of one table, tick by tick. */
import type { Fields, Hitbox, StateTable } from "../state/index.ts";
import { PoseHistory } from "./pose-history.ts";
import { angleColumn } from "./rewound-sight.ts";
import { TeleportWatch } from "./teleport-watch.ts";

export class PoseRecorder {
  readonly history: PoseHistory;
  readonly #table: StateTable<Fields>;
  readonly #angles: Float64Array | undefined;
  readonly #teleports: TeleportWatch;

  constructor(table: StateTable<Fields>, hitbox: Hitbox, historyTicks: number) {
    this.#table = table;
    this.#angles = angleColumn(table, hitbox);
    this.#teleports = new TeleportWatch(table);
    this.history = new PoseHistory(table.capacity, historyTicks);
  }

  /** Records the settled table as the state after `tick`; ticks must follow each other. */
  record(tick: number): void {
    const { positionX, positionY, alive, highWater } = this.#table;
    if (positionX === undefined || positionY === undefined) return;
    const { history } = this;
    history.begin(tick);
    // What is behind the high water mark keeps old ids, which no living entity has.
    for (let index = 0; index < highWater; index++) {
      if (alive[index] === 0) history.set(index, -1, 0, 0, 0);
      else {
        const jumped = !this.#teleports.idle && this.#teleports.check(index);
        const angle = this.#angles?.[index] ?? 0;
        history.set(index, this.#table.idAt(index), positionX[index], positionY[index], angle, jumped);
      }
    }
  }
}
