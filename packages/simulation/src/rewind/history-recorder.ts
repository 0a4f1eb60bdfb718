/** Writes the history of one state, tick by tick, on the server. */
import type { Fields, StateDefinition, StateTable } from "../state/index.ts";
import { SnapshotHistory } from "./history/snapshot-history.ts";
import { PoseReader } from "./pose-reader.ts";
import type { HistoryLimits } from "./pose-reader.ts";
import { TeleportWatch } from "./teleport-watch.ts";

export class HistoryRecorder {
  readonly history: SnapshotHistory;
  readonly reader: PoseReader;
  readonly #table: StateTable<Fields>;
  readonly #teleports: TeleportWatch;

  constructor(state: StateDefinition, table: StateTable<Fields>, limits: HistoryLimits) {
    this.#table = table;
    this.#teleports = new TeleportWatch(state, table);
    this.reader = new PoseReader(state, table);
    this.history = new SnapshotHistory(this.reader.createHistoryOptions(limits));
  }

  /** Records the settled table as the state after `tick`; ticks must follow each other. */
  record(tick: number): void {
    if (!this.reader.hasPlaces) return;
    const { alive, highWater } = this.#table;
    const { history } = this;
    history.begin(tick);
    const end = Math.max(highWater, history.usedPlaces);
    for (let index = 0; index < end; index++) {
      if (alive[index] === 0) history.setNobody(index);
      else this.reader.write(history, index, !this.#teleports.idle && this.#teleports.check(index));
    }
  }
}
