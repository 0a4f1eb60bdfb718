/**
 * Broadphases that were measured beside the one that is used (a grid over boxes around all kept ticks). Each gives the
 * query, for a ray of a view, what it walks through; everything else is the query's own code.
 */
import type { SnapshotHistory } from "@riposte/simulation/rewind";
import { HistoryGrid } from "../../../packages/simulation/src/rewind/history/history-grid.ts";
import { BOX_NUMBERS } from "../../../packages/simulation/src/rewind/history/swept-bounds.ts";
import { BoxTree } from "./box-tree.ts";
import { FASTEST, LONGEST_GAP, SNAPSHOTS, TICK_RATE } from "./scene.ts";
import type { Scene } from "./scene.ts";

/** What a query walks through. */
export type Walk = Pick<HistoryGrid, "list" | "start" | "end" | "begin" | "next" | "isNew" | "forgetMoved" | "bytes">;

export interface Broadphase {
  /** After each tick. */
  update(): void;
  /** For a view around `tick`. */
  walkAt(tick: number): Walk;
  readonly bytes: number;
}

export type BroadphaseName = keyof typeof BROADPHASES;

export const BROADPHASES = {
  swept_grid: sweptGrid,
  grid_per_snapshot: gridPerSnapshot,
  grids_of_8_ticks: (scene: Scene): Broadphase => gridPerChunk(scene, 8),
  grids_of_16_ticks: (scene: Scene): Broadphase => gridPerChunk(scene, 16),
  tree_rebuilt: (scene: Scene): Broadphase => tree(scene, 1),
  tree_refitted: (scene: Scene): Broadphase => tree(scene, 16),
} as const;

/** The one that is used. */
function sweptGrid({ query, history }: Scene): Broadphase {
  const { grid } = query;
  return {
    update: () => grid.begin(0, 0, 1, 0, 0),
    walkAt: () => grid,
    get bytes() {
      return grid.bytes + history.bounds.bytes;
    },
  };
}

/**
 * One for every tick. Somebody is not drawn where he was in the view's tick but between two updates around it, which are
 * of other ticks for everybody: the grid is asked farther around by the way that the fastest one goes in the longest gap.
 * Where no such limit is known, or somebody teleports, this finds too few.
 */
function gridPerSnapshot({ history, entities }: Scene): Broadphase {
  const margin = history.hitboxes.extent.radius + (FASTEST * LONGEST_GAP) / TICK_RATE;
  const grids = Array.from({ length: SNAPSHOTS }, () => new GridOfBoxes(entities, margin));
  return {
    update() {
      const grid = grids[history.newestTick % SNAPSHOTS];
      grid.clear();
      grid.growAll(history);
      grid.buildAnew();
    },
    walkAt: (tick) => grids[Math.floor(tick) % SNAPSHOTS].grid,
    get bytes() {
      // Positions are in the history: only the lists of the cells count.
      return grids.reduce((sum, { grid }) => sum + grid.bytes - entities * (4 + 16), 0);
    },
  };
}

/**
 * One for so many ticks of views. What is drawn then may be of ticks before and after, by the longest gap of updates: so
 * boxes reach that much farther, and where no longest gap is known, this finds too few.
 */
function gridPerChunk({ history, entities }: Scene, ticks: number): Broadphase {
  const margin = history.hitboxes.extent.radius;
  const count = SNAPSHOTS / ticks + 2;
  const chunks = Array.from({ length: count }, () => ({ number: -1, boxes: new GridOfBoxes(entities, margin) }));
  return {
    update() {
      const { newestTick } = history;
      const last = Math.floor((newestTick + LONGEST_GAP) / ticks);
      for (let number = Math.floor((newestTick - LONGEST_GAP) / ticks); number <= last; number++) {
        if (number < 0) continue;
        const chunk = chunks[number % count];
        if (chunk.number !== number) chunk.boxes.clear();
        chunk.number = number;
        chunk.boxes.growAll(history);
        // Nobody can ask for views that are still to come.
        if (number * ticks <= newestTick) chunk.boxes.build();
      }
    },
    walkAt: (tick) => chunks[Math.floor(tick / ticks) % count].boxes.grid,
    get bytes() {
      return chunks.reduce((sum, { boxes }) => sum + boxes.bytes, 0);
    },
  };
}

/** A tree over the same boxes as the grid that is used; refitted after each tick, and built anew after so many. */
function tree({ history, entities }: Scene, ticks: number): Broadphase {
  const { bounds } = history;
  const boxes = new BoxTree(bounds.boxes, entities, history.hitboxes.extent.radius);
  return {
    update() {
      if (history.newestTick % ticks === 0) boxes.build();
      else boxes.refit();
    },
    walkAt: () => boxes,
    get bytes() {
      return boxes.bytes + bounds.bytes;
    },
  };
}

class GridOfBoxes {
  version = 0;
  #places: number;
  readonly boxes: Float32Array;
  readonly grid: HistoryGrid;

  constructor(entities: number, margin: number) {
    this.#places = entities;
    this.boxes = new Float32Array((entities + 1) * BOX_NUMBERS);
    this.grid = new HistoryGrid(this, margin, () => this.#places);
    this.clear();
  }

  get bytes(): number {
    return this.boxes.byteLength + this.grid.bytes;
  }

  clear(): void {
    const { boxes } = this;
    for (let at = 0; at < boxes.length; at += BOX_NUMBERS) {
      boxes[at] = boxes[at + 1] = boxes[at + 2] = Infinity;
      boxes[at + 3] = boxes[at + 4] = boxes[at + 5] = -Infinity;
    }
  }

  /** By where everybody is in the newest tick. */
  growAll(history: SnapshotHistory): void {
    const { boxes } = this;
    const { floats, newestTick } = history;
    for (let place = 0, to = 0; place < history.capacity; place++, to += BOX_NUMBERS) {
      const at = history.at(place, newestTick);
      const x = floats[at + 1];
      const y = floats[at + 2];
      if (x < boxes[to]) boxes[to] = x;
      if (y < boxes[to + 1]) boxes[to + 1] = y;
      if (x > boxes[to + 3]) boxes[to + 3] = x;
      if (y > boxes[to + 4]) boxes[to + 4] = y;
    }
  }

  /** Another number of places, by one with an empty box, so that nothing is kept of the grid before. */
  buildAnew(): void {
    const entities = this.boxes.length / BOX_NUMBERS - 1;
    this.#places = this.#places === entities ? entities + 1 : entities;
    this.build();
  }

  build(): void {
    this.version++;
    this.grid.begin(0, 0, 1, 0, 0);
  }
}
