/** Shots from anywhere in the square at what a player saw, each with a picture of its own. */
import { Random } from "@riposte/protocol";
import type { RewindQuery, RewindView } from "@riposte/simulation/rewind";
import { SNAPSHOTS } from "./scene.ts";
import type { Scene } from "./scene.ts";

export const RANGE = 100;
/** x, y, z, direction (3), and the tick that was drawn. */
export const RAY_NUMBERS = 7;
/** Height of a barrel. */
const HEIGHT = 1.3;
/** Up or down at most so much. */
const TILT = 0.017;
/** Pictures are from so many ticks ago: with gaps of 8 all of it is still kept. */
const LATEST = 9;
const OLDEST = SNAPSHOTS - 9;

export function makeRays(scene: Scene, count: number, seed = 1): Float64Array {
  const random = new Random(seed);
  const rays = new Float64Array(count * RAY_NUMBERS);
  for (let at = 0; at < rays.length; at += RAY_NUMBERS) {
    const angle = random.next() * 2 * Math.PI;
    const rise = (2 * random.next() - 1) * TILT;
    const flat = Math.sqrt(1 - rise * rise);
    const ago = LATEST + random.next() * (OLDEST - LATEST);
    const { size, history } = scene;
    const from = [random.next() * size, random.next() * size, HEIGHT];
    rays.set([...from, flat * Math.cos(angle), flat * Math.sin(angle), rise, history.newestTick - ago], at);
  }
  return rays;
}

/** A view whose tick is set for each ray. */
export type MovingView = RewindView & { viewTick: number };

/** Casts them all; `places[i]`, if given, says whom ray i met. How many met somebody. */
export function castAll(query: RewindQuery, view: MovingView, rays: Float64Array, places?: Int32Array): number {
  query.look(view);
  let hits = 0;
  for (let at = 0, i = 0; at < rays.length; at += RAY_NUMBERS, i++) {
    view.viewTick = rays[at + 6];
    query.raycast(rays[at], rays[at + 1], rays[at + 2], rays[at + 3], rays[at + 4], rays[at + 5], RANGE);
    if (query.place >= 0) hits++;
    if (places !== undefined) places[i] = query.place;
  }
  return hits;
}
