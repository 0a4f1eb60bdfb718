/**
 * One broadphase in a process of its own, so that the compiler sees no other: what a tick and rays cost with it. Prints
 * a `BroadphaseFigures` as JSON.
 */
import type { RewindQuery } from "@riposte/simulation/rewind";
import { cpuMicros } from "../prediction/cpu-time.ts";
import { median } from "../statistics.ts";
import { compare } from "./agreement.ts";
import { BROADPHASES } from "./broadphases.ts";
import type { Broadphase, BroadphaseName, Walk } from "./broadphases.ts";
import { makeRays, RANGE, RAY_NUMBERS } from "./rays.ts";
import { OwnTimes, PREPARED_TICKS, Scene, SNAPSHOTS } from "./scene.ts";

export interface BroadphaseFigures {
  readonly record_us_1000: number;
  readonly broadphase_bytes_per_entity_snapshot: number;
  readonly raycasts_per_sec_1000: number;
  readonly raycasts_per_sec_5000: number;
  readonly raycasts_per_sec_5000_dense: number;
}

const RAYS = 10_000;
const COMPARED_RAYS = 1000;
const TURNS = 7;

class Candidate {
  readonly scene: Scene;
  readonly #broadphase: Broadphase;
  readonly #query: RewindQuery;
  readonly #rays: Float64Array;
  readonly #places = new Int32Array(RAYS);
  readonly #view = new OwnTimes();

  constructor(name: BroadphaseName, entities: number, size: number) {
    this.scene = new Scene({ entities, size });
    this.#broadphase = BROADPHASES[name](this.scene);
    this.#query = this.scene.query;
    for (let n = 0; n < 2 * SNAPSHOTS; n += PREPARED_TICKS) this.recordMicros();
    this.#rays = makeRays(this.scene, RAYS);
    this.#castAll();
    compare(name, this.scene, this.#view, this.#rays, this.#places.subarray(0, COMPARED_RAYS));
  }

  get bytes(): number {
    return this.#broadphase.bytes / (this.scene.entities * SNAPSHOTS);
  }

  recordMicros(): number {
    this.scene.prepare();
    const began = cpuMicros();
    this.scene.record(() => this.#broadphase.update());
    return (cpuMicros() - began) / PREPARED_TICKS;
  }

  raysPerSec(): number {
    const began = cpuMicros();
    this.#castAll();
    return (RAYS * 1e6) / (cpuMicros() - began);
  }

  #castAll(): void {
    const query = this.#query;
    // The query takes any walk, although its type is the one that is used.
    const taking = query as unknown as { grid: Walk };
    const rays = this.#rays;
    query.look(this.#view);
    for (let at = 0, i = 0; i < RAYS; at += RAY_NUMBERS, i++) {
      this.#view.viewTick = rays[at + 6];
      taking.grid = this.#broadphase.walkAt(rays[at + 6]);
      query.raycast(rays[at], rays[at + 1], rays[at + 2], rays[at + 3], rays[at + 4], rays[at + 5], RANGE);
      this.#places[i] = query.place;
    }
  }
}

const name = process.argv[2] as BroadphaseName;
const recorded = new Candidate(name, 1000, 200);
const thousand = new Candidate(name, 1000, 200);
const wide = new Candidate(name, 5000, 200 * Math.sqrt(5));
const dense = new Candidate(name, 5000, 200);
const turns = Array.from({ length: TURNS }, () => ({
  record_us_1000: median(Array.from({ length: 5 }, () => recorded.recordMicros())),
  raycasts_per_sec_1000: thousand.raysPerSec(),
  raycasts_per_sec_5000: wide.raysPerSec(),
  raycasts_per_sec_5000_dense: dense.raysPerSec(),
}));
const figures: BroadphaseFigures = {
  record_us_1000: median(turns.map((turn) => turn.record_us_1000)),
  broadphase_bytes_per_entity_snapshot: thousand.bytes,
  raycasts_per_sec_1000: median(turns.map((turn) => turn.raycasts_per_sec_1000)),
  raycasts_per_sec_5000: median(turns.map((turn) => turn.raycasts_per_sec_5000)),
  raycasts_per_sec_5000_dense: median(turns.map((turn) => turn.raycasts_per_sec_5000_dense)),
};
console.log(JSON.stringify(figures));
