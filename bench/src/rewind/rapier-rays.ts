/** The same capsules in a Rapier world: fixed colliders that touch nobody, posed anew for a shooter, and its rays. */
import type { Collider, Ray, Rapier, World } from "../snapshot/rapier.ts";
import { CAPSULE_NUMBERS } from "./naive.ts";
import { RANGE } from "./rays.ts";
import { PARTS } from "./scene.ts";

/** A position and a rotation. */
const POSED_NUMBERS = 7;

export class RapierRays {
  readonly #world: World;
  readonly #colliders: Collider[] = [];
  readonly #places = new Map<number, number>();
  readonly #ray: Ray;
  readonly #position = { x: 0, y: 0, z: 0 };
  readonly #turn = { x: 0, y: 0, z: 0, w: 1 };

  /** Capsules of everybody, as `NaiveRays.decode` writes them. */
  constructor(rapier: Rapier, capsules: Float64Array) {
    this.#world = new rapier.World({ x: 0, y: 0, z: 0 });
    this.#ray = new rapier.Ray({ x: 0, y: 0, z: 0 }, { x: 1, y: 0, z: 0 });
    for (let at = 0; at < capsules.length; at += CAPSULE_NUMBERS) {
      const half = lengthOf(capsules, at) / 2;
      // Everybody is in group 0, and touches group 1 only; rays of group 1 touch group 0.
      const shape = rapier.ColliderDesc.capsule(half, capsules[at + 6]).setCollisionGroups(0x0001_0002);
      const collider = this.#world.createCollider(shape);
      this.#places.set(collider.handle, Math.floor(this.#colliders.length / PARTS));
      this.#colliders.push(collider);
    }
  }

  /** Moves everybody to `posed`. */
  pose(posed: Float64Array): void {
    const position = this.#position;
    const turn = this.#turn;
    for (let i = 0, at = 0; i < this.#colliders.length; i++, at += POSED_NUMBERS) {
      position.x = posed[at];
      position.y = posed[at + 1];
      position.z = posed[at + 2];
      turn.x = posed[at + 3];
      turn.y = posed[at + 4];
      turn.z = posed[at + 5];
      turn.w = posed[at + 6];
      this.#colliders[i].setTranslation(position);
      this.#colliders[i].setRotation(turn);
    }
    // Rays see what has been moved after a step only.
    this.#world.step();
  }

  /** Whom the ray at `rays[at...]` meets first, -1 for nobody. */
  raycast(rays: Float64Array, at: number): number {
    const { origin, dir } = this.#ray;
    origin.x = rays[at];
    origin.y = rays[at + 1];
    origin.z = rays[at + 2];
    dir.x = rays[at + 3];
    dir.y = rays[at + 4];
    dir.z = rays[at + 5];
    const hit = this.#world.castRay(this.#ray, RANGE, true, undefined, 0x0002_0001);
    return hit === null ? -1 : (this.#places.get(hit.collider.handle) ?? -1);
  }

  free(): void {
    this.#world.free();
  }
}

/** Middles and rotations of capsules: Rapier's stand along y. */
export function posesOf(capsules: Float64Array): Float64Array {
  const posed = new Float64Array((capsules.length / CAPSULE_NUMBERS) * POSED_NUMBERS);
  for (let at = 0, to = 0; at < capsules.length; at += CAPSULE_NUMBERS, to += POSED_NUMBERS) {
    const length = lengthOf(capsules, at);
    for (let axis = 0; axis < 3; axis++) posed[to + axis] = (capsules[at + axis] + capsules[at + 3 + axis]) / 2;
    const x = (capsules[at + 3] - capsules[at]) / length;
    const y = (capsules[at + 4] - capsules[at + 1]) / length;
    const z = (capsules[at + 5] - capsules[at + 2]) / length;
    // From y to (x, y, z) the short way; either end may be up.
    const up = y < 0 ? -1 : 1;
    const w = Math.sqrt((1 + up * y) / 2);
    posed[to + 3] = (up * z) / (2 * w);
    posed[to + 5] = (-up * x) / (2 * w);
    posed[to + 6] = w;
  }
  return posed;
}

function lengthOf(capsules: Float64Array, at: number): number {
  return Math.hypot(
    capsules[at + 3] - capsules[at],
    capsules[at + 4] - capsules[at + 1],
    capsules[at + 5] - capsules[at + 2],
  );
}
