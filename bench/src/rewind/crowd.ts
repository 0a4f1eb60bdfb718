/** People, rays that are shot at them, each of its own player's picture, and how many of them can be cast. */
import { cpuMicros } from "../prediction/cpu-time.ts";
import { compare } from "./agreement.ts";
import type { Agreement } from "./agreement.ts";
import { NaiveRays } from "./naive.ts";
import { castAll, makeRays, RANGE, RAY_NUMBERS } from "./rays.ts";
import { OwnTimes } from "./scene.ts";
import type { Scene } from "./scene.ts";

const RAYS = 16_000;
const NAIVE_RAYS = 400;
/** Rays that are compared with looking at everybody. */
const COMPARED_RAYS = 4000;

export class Crowd {
  readonly scene: Scene;
  readonly rays: Float64Array;
  readonly hitShare: number;
  readonly #view = new OwnTimes();
  readonly #naive: NaiveRays;
  readonly #times = new Float64Array(RAYS);

  constructor(scene: Scene) {
    this.scene = scene;
    this.rays = makeRays(scene, RAYS);
    this.#naive = new NaiveRays(scene.history);
    this.hitShare = castAll(scene.query, this.#view, this.rays) / RAYS;
  }

  compare(): Agreement {
    const places = new Int32Array(COMPARED_RAYS);
    const rays = this.rays.subarray(0, COMPARED_RAYS * RAY_NUMBERS);
    castAll(this.scene.query, this.#view, rays, places);
    return compare("the query", this.scene, this.#view, rays, places);
  }

  raysPerSec(): number {
    const began = cpuMicros();
    const hits = castAll(this.scene.query, this.#view, this.rays);
    const micros = cpuMicros() - began;
    if (hits !== this.hitShare * RAYS) throw new Error(`${hits} hits, not ${this.hitShare * RAYS}`);
    return (RAYS * 1e6) / micros;
  }

  /** Of single rays, by the clock: what the machine does meanwhile is in it. */
  p99Micros(): number {
    const { rays } = this;
    const { query } = this.scene;
    query.look(this.#view);
    for (let at = 0, i = 0; i < RAYS; at += RAY_NUMBERS, i++) {
      this.#view.viewTick = rays[at + 6];
      const began = performance.now();
      query.raycast(rays[at], rays[at + 1], rays[at + 2], rays[at + 3], rays[at + 4], rays[at + 5], RANGE);
      this.#times[i] = performance.now() - began;
    }
    this.#times.sort();
    return this.#times[Math.floor(RAYS * 0.99)] * 1000;
  }

  naiveRaysPerSec(): number {
    const { rays } = this;
    this.#naive.look(this.#view);
    const began = cpuMicros();
    for (let at = 0; at < NAIVE_RAYS * RAY_NUMBERS; at += RAY_NUMBERS) {
      this.#view.viewTick = rays[at + 6];
      this.#naive.raycast(rays[at], rays[at + 1], rays[at + 2], rays[at + 3], rays[at + 4], rays[at + 5], RANGE);
    }
    return (NAIVE_RAYS * 1e6) / (cpuMicros() - began);
  }
}
