/** The directions of one shot: one ray, or a pattern that follows from a seed, the same on both sides. */
import { TickRandom } from "../../game/random.ts";
import { asin, cos, sin } from "../../math/index.ts";
import { MAX_PELLETS } from "./weapon-kit.ts";
import type { Weapon } from "./weapon-kit.ts";

type Spread = Pick<Weapon, "pellets" | "spread" | "pattern">;

export class ShotRays {
  /** The middle, a unit vector. */
  dx = 1;
  dy = 0;
  dz = 0;
  readonly #random = new TickRandom();
  readonly #all = new Float64Array(MAX_PELLETS * 3);
  readonly #views: Float64Array[] = [];

  aim(angle: number, pitch: number): void {
    const flat = cos(pitch);
    this.dx = cos(angle) * flat;
    this.dy = sin(angle) * flat;
    this.dz = sin(pitch);
  }

  /** Unit directions around `angle` and `pitch`, three numbers each, valid until the next call. In the plane all stay in it. */
  spread(
    { pellets, spread, pattern }: Spread,
    angle: number,
    pitch: number,
    seed: number,
    inPlane: boolean,
  ): Float64Array {
    const all = (this.#views[pellets] ??= this.#all.subarray(0, pellets * 3));
    const random = this.#random;
    random.reseed(seed, 0);
    // To the left, and up.
    const leftX = -sin(angle);
    const leftY = cos(angle);
    const upX = -sin(pitch) * cos(angle);
    const upY = -sin(pitch) * sin(angle);
    const upZ = cos(pitch);
    for (let i = 0; i < pellets; i++) {
      const at = i * 3;
      const share = (i + 0.5) / pellets;
      if (inPlane) {
        const off = pattern === "even" ? (2 * share - 1) * spread : random.between(-spread, spread);
        all[at] = cos(angle + off);
        all[at + 1] = sin(angle + off);
        all[at + 2] = 0;
        continue;
      }
      // As many for every part of the disc.
      const off = spread * Math.sqrt(pattern === "even" ? share : random.next());
      const turn = pattern === "even" ? i * GOLDEN_ANGLE : random.between(0, TURN);
      const ahead = cos(off);
      const left = sin(off) * cos(turn);
      const up = sin(off) * sin(turn);
      all[at] = this.dx * ahead + leftX * left + upX * up;
      all[at + 1] = this.dy * ahead + leftY * left + upY * up;
      all[at + 2] = this.dz * ahead + upZ * up;
    }
    return all;
  }
}

/** Radians between two directions. */
export function angleBetween(angle: number, pitch: number, otherAngle: number, otherPitch: number): number {
  const turn = otherAngle - angle;
  if (pitch === 0 && otherPitch === 0) return Math.abs(turn - Math.floor(turn / TURN + 0.5) * TURN);
  const x = cos(angle) * cos(pitch) - cos(otherAngle) * cos(otherPitch);
  const y = sin(angle) * cos(pitch) - sin(otherAngle) * cos(otherPitch);
  const z = sin(pitch) - sin(otherPitch);
  // Half the chord is the sine of half the angle.
  return 2 * asin(Math.min(1, Math.sqrt(x * x + y * y + z * z) / 2));
}

const TURN = 2 * Math.PI;
/** No two turns by multiples of it are near. */
const GOLDEN_ANGLE = 2.399963229728653;
