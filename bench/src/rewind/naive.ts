/**
 * Rays without a broadphase, and with an intersection test of their own: everybody is put to where it was drawn, a sphere
 * around it is looked at, and then its capsules, in the world's frame. What the others' answers are checked against.
 */
import { RewoundPoses } from "@riposte/simulation/rewind";
import type { RewindView, SnapshotHistory } from "@riposte/simulation/rewind";
import { PARTS } from "./scene.ts";

/** Two ends and a radius. */
export const CAPSULE_NUMBERS = 7;
const POSE_NUMBERS = 7;

export class NaiveRays {
  /** How much thicker all capsules are. */
  thicker = 0;
  /** The only one who is looked at; -1: everybody. */
  only = -1;
  /** Whom the last ray met, -1 for nobody. */
  place = -1;
  readonly #history: SnapshotHistory;
  readonly #poses: RewoundPoses;
  readonly #capsules = new Float64Array(PARTS * CAPSULE_NUMBERS);
  readonly #middle = { x: 0, y: 0, z: 0 };

  constructor(history: SnapshotHistory) {
    this.#history = history;
    this.#poses = new RewoundPoses(history);
  }

  look(view: RewindView): void {
    this.#poses.look(view);
  }

  /** The distance, `Infinity` when nobody is met; `place` says whom. */
  raycast(x: number, y: number, z: number, dx: number, dy: number, dz: number, range: number): number {
    const poses = this.#poses;
    const { pose } = poses;
    const capsules = this.#capsules;
    const reach = this.#history.hitboxes.reach + this.thicker;
    this.place = -1;
    let nearest = Infinity;
    for (let place = 0; place < this.#history.usedPlaces; place++) {
      if ((this.only >= 0 && place !== this.only) || !poses.find(place)) continue;
      const toX = pose.x - x;
      const toY = pose.y - y;
      const toZ = pose.z - z;
      const along = toX * dx + toY * dy + toZ * dz;
      if (along < -reach || along > range + reach) continue;
      if (toX * toX + toY * toY + toZ * toZ - along * along > reach * reach) continue;
      poses.stand();
      this.#place(capsules, 0);
      for (let at = 0; at < capsules.length; at += CAPSULE_NUMBERS) {
        const distance = rayCapsule(capsules, at, this.thicker, x, y, z, dx, dy, dz);
        if (!(distance < nearest && distance <= range)) continue;
        nearest = distance;
        this.place = place;
      }
    }
    return nearest;
  }

  /** Writes the capsules of everybody, at the times that the view says. */
  decode(out: Float64Array): void {
    for (let place = 0; place < this.#history.usedPlaces; place++) {
      if (!this.#poses.find(place)) throw new Error(`nobody is at ${place}`);
      this.#poses.stand();
      this.#place(out, place * PARTS * CAPSULE_NUMBERS);
    }
  }

  #place(out: Float64Array, to: number): void {
    const poses = this.#poses;
    const { pose } = poses;
    const { radii } = this.#history.hitboxes;
    for (let part = 0; part < PARTS; part++, to += CAPSULE_NUMBERS) {
      poses.middleOf(part, this.#middle);
      const numbers = poses.numbersOf(part);
      const at = part * POSE_NUMBERS;
      for (let end = 0; end < 6; end += 3) {
        const x = numbers[at + end];
        const y = numbers[at + end + 1];
        out[to + end] = pose.x + pose.cos * x - pose.sin * y;
        out[to + end + 1] = pose.y + pose.sin * x + pose.cos * y;
        out[to + end + 2] = pose.z + numbers[at + end + 2];
      }
      out[to + 6] = radii[part];
    }
  }
}

/** Against a cylinder and the spheres at its ends. */
function rayCapsule(
  capsules: Float64Array,
  at: number,
  thicker: number,
  x: number,
  y: number,
  z: number,
  dx: number,
  dy: number,
  dz: number,
): number {
  const ux = capsules[at + 3] - capsules[at];
  const uy = capsules[at + 4] - capsules[at + 1];
  const uz = capsules[at + 5] - capsules[at + 2];
  const radius = capsules[at + 6] + thicker;
  const ox = x - capsules[at];
  const oy = y - capsules[at + 1];
  const oz = z - capsules[at + 2];
  const length = Math.sqrt(ux * ux + uy * uy + uz * uz);
  const alongD = (ux * dx + uy * dy + uz * dz) / length;
  const alongO = (ux * ox + uy * oy + uz * oz) / length;
  // What is left of the ray across the axis.
  const px = dx - (alongD * ux) / length;
  const py = dy - (alongD * uy) / length;
  const pz = dz - (alongD * uz) / length;
  const qx = ox - (alongO * ux) / length;
  const qy = oy - (alongO * uy) / length;
  const qz = oz - (alongO * uz) / length;
  const ends = Math.min(
    raySphere(ox, oy, oz, dx, dy, dz, radius),
    raySphere(ox - ux, oy - uy, oz - uz, dx, dy, dz, radius),
  );
  const a = px * px + py * py + pz * pz;
  const b = px * qx + py * qy + pz * qz;
  const c = qx * qx + qy * qy + qz * qz - radius * radius;
  if (c <= 0 && alongO >= 0 && alongO <= length) return 0;
  const root = b * b - a * c;
  if (root < 0 || a < 1e-12) return ends;
  const t = (-b - Math.sqrt(root)) / a;
  const where = alongO + t * alongD;
  return t >= 0 && where >= 0 && where <= length ? Math.min(t, ends) : ends;
}

function raySphere(ox: number, oy: number, oz: number, dx: number, dy: number, dz: number, radius: number): number {
  const b = ox * dx + oy * dy + oz * dz;
  const c = ox * ox + oy * oy + oz * oz - radius * radius;
  if (c <= 0) return 0;
  const root = b * b - c;
  return root < 0 || b > 0 ? Infinity : -b - Math.sqrt(root);
}
