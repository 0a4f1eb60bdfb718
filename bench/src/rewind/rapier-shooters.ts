/** Rapier's rays at the same people: in a world that is posed for each shooter, and in one that is posed once for all. */
import { CommonTime } from "@riposte/simulation/rewind";
import { cpuMicros } from "../prediction/cpu-time.ts";
import type { Rapier } from "../snapshot/rapier.ts";
import { compare } from "./agreement.ts";
import type { Agreement } from "./agreement.ts";
import type { Crowd } from "./crowd.ts";
import { CAPSULE_NUMBERS, NaiveRays } from "./naive.ts";
import { posesOf, RapierRays } from "./rapier-rays.ts";
import { castAll, RAY_NUMBERS } from "./rays.ts";
import type { MovingView } from "./rays.ts";
import { OwnTimes, PARTS } from "./scene.ts";
import type { Scene } from "./scene.ts";

/** Shooters whose pictures are decoded beforehand, out of the measured time; and how many of them shoot in a round. */
const SHOOTERS = 24;
const SHOOTERS_A_ROUND = 6;
const SHARED_RAYS = 4000;

export class PosedPerShooter {
  readonly #scene: Scene;
  readonly #rapier: RapierRays;
  readonly #rays: Float64Array;
  readonly #pictures: readonly Float64Array[];
  #next = 0;

  constructor(rapier: Rapier, { scene, rays }: Crowd) {
    this.#scene = scene;
    this.#rays = rays.subarray(0, SHOOTERS * RAY_NUMBERS);
    const decoded = Array.from({ length: SHOOTERS }, (_, i) =>
      decode(scene, new OwnTimes(), rays[i * RAY_NUMBERS + 6]),
    );
    this.#pictures = decoded.map(posesOf);
    this.#rapier = new RapierRays(rapier, decoded[0]);
  }

  compare(): Agreement {
    const places = this.#pictures.map((_, i) => this.#shoot(i));
    return compare("Rapier, posed for each shooter,", this.#scene, new OwnTimes(), this.#rays, places);
  }

  raysPerSec(): number {
    const began = cpuMicros();
    for (let n = 0; n < SHOOTERS_A_ROUND; n++) this.#shoot(this.#next++ % SHOOTERS);
    return (SHOOTERS_A_ROUND * 1e6) / (cpuMicros() - began);
  }

  #shoot(i: number): number {
    this.#rapier.pose(this.#pictures[i]);
    return this.#rapier.raycast(this.#rays, i * RAY_NUMBERS);
  }
}

export class PosedOnce {
  readonly #scene: Scene;
  readonly #rapier: RapierRays;
  readonly #rays: Float64Array;
  readonly #places = new Int32Array(SHARED_RAYS);

  constructor(rapier: Rapier, { scene, rays }: Crowd) {
    this.#scene = scene;
    this.#rays = rays.slice(0, SHARED_RAYS * RAY_NUMBERS);
    for (let at = 6; at < this.#rays.length; at += RAY_NUMBERS) this.#rays[at] = rays[6];
    const decoded = decode(scene, new CommonTime(0), rays[6]);
    this.#rapier = new RapierRays(rapier, decoded);
    this.#rapier.pose(posesOf(decoded));
  }

  /** Both Rapier and the query, at the shared time. */
  compare(): Agreement {
    this.#castAll();
    const view = new CommonTime(0);
    const shared = compare("Rapier, posed once,", this.#scene, view, this.#rays, this.#places);
    castAll(this.#scene.query, view, this.#rays, this.#places);
    const own = compare("the query at a shared time", this.#scene, view, this.#rays, this.#places);
    return { compared: shared.compared + own.compared, grazed: shared.grazed + own.grazed };
  }

  raysPerSec(): number {
    const began = cpuMicros();
    this.#castAll();
    return (SHARED_RAYS * 1e6) / (cpuMicros() - began);
  }

  #castAll(): void {
    for (let i = 0; i < SHARED_RAYS; i++) this.#places[i] = this.#rapier.raycast(this.#rays, i * RAY_NUMBERS);
  }
}

/** Everybody's capsules as `view` says. */
function decode(scene: Scene, view: MovingView, tick: number): Float64Array {
  const capsules = new Float64Array(scene.entities * PARTS * CAPSULE_NUMBERS);
  const naive = new NaiveRays(scene.history);
  view.viewTick = tick;
  naive.look(view);
  naive.decode(capsules);
  return capsules;
}
