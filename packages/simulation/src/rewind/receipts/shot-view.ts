/** What a receipt shows: the ray, and the hitboxes of everybody who was looked at where they stood for this shot. */
import { POSE_NUMBERS } from "../hitboxes/hitbox-set.ts";
import { rotate } from "../hitboxes/vector.ts";
import { RewoundPoses } from "../rewound-poses.ts";
import type { RewoundPose } from "../rewound-poses.ts";
import type { RecordedHistory } from "./history-record.ts";
import type { ShotReceipt } from "./shot-receipt.ts";
import type { ReceiptVerdict } from "./verdict-record.ts";

type Place = readonly [x: number, y: number, z: number];

/** A hitbox in the world. */
export interface ShownHitbox {
  readonly name: string;
  readonly shape: "sphere" | "capsule" | "box" | "hull";
  /** A sphere's middle; a capsule's two ends; the corners of a box or a hull. */
  readonly points: readonly Place[];
  /** Of spheres and capsules; 0 for the others. */
  readonly radius: number;
  /** Whether it could not be hit just then. */
  readonly disabled: boolean;
}

export interface ShownEntity {
  /** Its state, as the game calls it. */
  readonly table: string;
  readonly id: number;
  /** Where it stood. */
  readonly place: Place;
  /** Whether it stops shots at others: a door. */
  readonly blocks: boolean;
  readonly hitboxes: readonly ShownHitbox[];
}

export interface ShotView {
  readonly verdict: ReceiptVerdict;
  /** Where the shot left, and where its middle ended. */
  readonly from: Place;
  readonly to: Place;
  readonly entities: readonly ShownEntity[];
}

/** Of a receipt that `readReceipt` or `replayReceipt` has read. */
export function viewShot({ verdict, histories }: ShotReceipt): ShotView {
  const { x, y, z, dx, dy, dz, distance } = verdict;
  return {
    verdict,
    from: [x, y, z],
    to: [x + dx * distance, y + dy * distance, z + dz * distance],
    entities: histories.flatMap(entitiesOf),
  };
}

function entitiesOf(recorded: RecordedHistory): ShownEntity[] {
  const { history, table, blocks } = recorded;
  const poses = new RewoundPoses(history);
  poses.look(recorded);
  history.clearLive();
  recorded.addLive();
  const shown: ShownEntity[] = [];
  recorded.entities.forEach(({ id }, place) => {
    if (!poses.find(place)) return;
    poses.stand();
    const { pose } = poses;
    shown.push({ table, id, place: [pose.x, pose.y, pose.z], blocks, hitboxes: hitboxesOf(poses) });
  });
  history.clearLive();
  return shown;
}

function hitboxesOf(poses: RewoundPoses): ShownHitbox[] {
  const { hitboxes } = poses.history;
  const { pose } = poses;
  const middle = { x: 0, y: 0, z: 0 };
  return hitboxes.names.map((name, i) => {
    poses.middleOf(i, middle);
    const numbers = poses.numbersOf(i);
    const at = i * POSE_NUMBERS;
    const shape = SHAPES[hitboxes.kinds[i]];
    const own = (x: number, y: number, z: number): Place => inWorld(pose, poses.history.rotation, x, y, z);
    const end = (from: number): Place => own(numbers[from], numbers[from + 1], numbers[from + 2]);
    const disabled = ((pose.disabled >>> i) & 1) === 1;
    if (shape === "sphere") return { name, shape, points: [end(at)], radius: hitboxes.radii[i], disabled };
    if (shape === "capsule")
      return { name, shape, points: [end(at), end(at + 3)], radius: hitboxes.radii[i], disabled };
    const points = cornersOf(hitboxes.halves.subarray(i * 3, i * 3 + 3), hitboxes.hulls[i]?.corners).map(
      ([x, y, z]) => {
        const turned = { x: 0, y: 0, z: 0 };
        rotate(numbers[at + 3], numbers[at + 4], numbers[at + 5], numbers[at + 6], x, y, z, turned);
        return own(numbers[at] + turned.x, numbers[at + 1] + turned.y, numbers[at + 2] + turned.z);
      },
    );
    return { name, shape, points, radius: 0, disabled };
  });
}

function cornersOf(half: Float64Array, hull: Float64Array | undefined): Place[] {
  if (hull !== undefined)
    return Array.from({ length: hull.length / 3 }, (_, c) => [hull[c * 3], hull[c * 3 + 1], hull[c * 3 + 2]]);
  const signs = [-1, 1];
  return signs.flatMap((x) => signs.flatMap((y) => signs.map((z): Place => [x * half[0], y * half[1], z * half[2]])));
}

function inWorld(pose: RewoundPose, rotation: "angle" | "quaternion", x: number, y: number, z: number): Place {
  if (rotation === "angle")
    return [pose.x + pose.cos * x - pose.sin * y, pose.y + pose.sin * x + pose.cos * y, pose.z + z];
  const turned = { x: 0, y: 0, z: 0 };
  rotate(pose.turn.x, pose.turn.y, pose.turn.z, pose.turn.w, x, y, z, turned);
  return [pose.x + turned.x, pose.y + turned.y, pose.z + turned.z];
}

/** By kind. */
const SHAPES = ["sphere", "capsule", "box", "hull"] as const;
