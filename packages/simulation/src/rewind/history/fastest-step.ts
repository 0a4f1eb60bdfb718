/**
 * The farthest that anybody went from one kept tick to the next, jumps aside, or was told to go: so far outside of where
 * it was, times the ticks, can be drawn who is carried on. Ticks are looked through when somebody asks.
 */
import { NOBODY } from "./snapshot-history.ts";
import type { SnapshotHistory } from "./snapshot-history.ts";

export class FastestStep {
  readonly #history: SnapshotHistory;
  /** By tick, modulo the ticks that are kept. */
  readonly #steps: Float64Array;
  #lookedAt = -1;

  constructor(history: SnapshotHistory) {
    this.#history = history;
    this.#steps = new Float64Array(history.maxSnapshots);
  }

  /** In units per tick. */
  perTick(): number {
    const { oldestTick, newestTick, maxSnapshots } = this.#history;
    if (newestTick < 0) return 0;
    if (this.#lookedAt > newestTick) this.#lookedAt = -1;
    for (let tick = Math.max(this.#lookedAt + 1, oldestTick); tick <= newestTick; tick++)
      this.#steps[tick % maxSnapshots] = this.#stepOf(tick);
    this.#lookedAt = newestTick;
    let most = 0;
    for (let tick = oldestTick; tick <= newestTick; tick++) most = Math.max(most, this.#steps[tick % maxSnapshots]);
    return most;
  }

  #stepOf(tick: number): number {
    const history = this.#history;
    const { words, floats, usedPlaces, oldestTick, paths, tickRate } = history;
    const isTold = paths.includes("told");
    let most = 0;
    let fastest = 0;
    for (let place = 0; place < usedPlaces; place++) {
      const entry = history.at(place, tick);
      if (words[entry] === NOBODY) continue;
      if (isTold) fastest = Math.max(fastest, squaredSpeed(history, entry));
      if (tick === oldestTick) continue;
      const before = history.at(place, tick - 1);
      if (words[before] !== words[entry] || history.jumped(before, entry)) continue;
      const x = floats[entry + 1] - floats[before + 1];
      const y = floats[entry + 2] - floats[before + 2];
      const z = floats[entry + 3] - floats[before + 3];
      const squared = x * x + y * y + z * z;
      if (squared > most) most = squared;
    }
    return Math.max(Math.sqrt(most), Math.sqrt(fastest) / tickRate);
  }
}

function squaredSpeed(history: SnapshotHistory, entry: number): number {
  let squared = 0;
  for (let axis = 0; axis < 3; axis++) {
    const speed = history.paths[axis] === "told" ? history.speedAt(entry, axis) : 0;
    squared += speed * speed;
  }
  return squared;
}
