/** Reads where a table's entities are, and how their hitboxes stand, into a history. */
import type { Fields, Hitbox, PlaceHitbox, RewoundFields, StateDefinition, StateTable } from "../state/index.ts";
import { defineHitboxes } from "./hitboxes/hitbox-set.ts";
import type { HitboxSet } from "./hitboxes/hitbox-set.ts";
import type { SnapshotHistory, SnapshotHistoryOptions } from "./history/snapshot-history.ts";
import { numbersOf, positionAxes } from "./position-axes.ts";
import type { Numbers, PositionAxis } from "./position-axes.ts";

/** How much a history keeps. */
export type HistoryLimits = Pick<SnapshotHistoryOptions, "tickMs" | "windowMs" | "maxSnapshots" | "maxBytes">;

export class PoseReader {
  readonly hitboxes: HitboxSet;
  readonly rotation: "angle" | "quaternion";
  readonly #table: StateTable<Fields>;
  readonly #axes: readonly [x: PositionAxis, y: PositionAxis, z: PositionAxis];
  readonly #z: Numbers | undefined;
  readonly #isTold: boolean;
  readonly #isVector: boolean;
  readonly #angle: Numbers | undefined;
  readonly #turn: Readonly<Record<"x" | "y" | "z" | "w", Numbers>> | undefined;
  readonly #frame: Numbers | undefined;
  readonly #disabled: Numbers | undefined;
  readonly #pose: RewoundFields["pose"];
  /** The history whose hitboxes are being placed. */
  #posed: SnapshotHistory | undefined;
  readonly #place: PlaceHitbox;

  /** `table` is one of `state`'s: the world's own, or what is drawn of it. */
  constructor(state: StateDefinition, table: StateTable<Fields>) {
    this.#table = table;
    this.hitboxes = hitboxesOf(state);
    const columns: Readonly<Record<string, unknown>> = table.columns;
    const { turn, frame, disabled, pose } = state.rewound;
    this.#axes = positionAxes(state, table);
    this.#z = this.#axes[2].values;
    this.#isVector = state.position.length === 1;
    this.#isTold = this.#axes.some(({ path }) => path === "told");
    const turned = turn === undefined ? undefined : columns[turn];
    this.#angle = numbersOf(turned);
    this.#turn = quaternions(turned);
    this.rotation = this.#turn === undefined ? "angle" : "quaternion";
    this.#frame = frame === undefined ? undefined : numbersOf(columns[frame]);
    this.#pose = pose;
    const { names } = this.hitboxes;
    this.#place = (hitbox, x, y, z, qx, qy, qz, qw) => {
      const i = names.indexOf(hitbox);
      if (i < 0) throw new RangeError(`there is no hitbox "${hitbox}"`);
      this.#posed?.setPose(i, x, y, z, qx, qy, qz, qw);
    };
    this.#disabled = disabled === undefined ? undefined : numbersOf(columns[disabled]);
  }

  /** Whether its entities are anywhere at all. */
  get hasPlaces(): boolean {
    return this.#table.positionX !== undefined && this.#table.positionY !== undefined;
  }

  createHistoryOptions(limits: HistoryLimits): SnapshotHistoryOptions {
    const { capacity } = this.#table;
    const [x, y, z] = this.#axes;
    return {
      capacity,
      hitboxes: this.hitboxes,
      rotation: this.rotation,
      ...limits,
      // What is nowhere is never hit.
      ...(this.hasPlaces ? {} : { maxSnapshots: 2 }),
      paths: [x.path, y.path, z.path],
      teleport: this.#isVector ? x.teleport : [x.teleport, y.teleport, z.teleport],
    };
  }

  /** Records the row at `index`, or, with `live`, says where it is now. */
  write(history: SnapshotHistory, index: number, jumped: boolean, live = false): void {
    const { positionX, positionY } = this.#table;
    if (positionX === undefined || positionY === undefined) return;
    const id = this.#table.idAt(index);
    const x = positionX[index];
    const y = positionY[index];
    const z = this.#z?.[index] ?? 0;
    const angle = this.#angle?.[index] ?? 0;
    if (!live) history.set(index, id, x, y, z, angle, jumped);
    else if (!history.setLive(index, id, x, y, z, angle)) return;
    if (this.#isTold) {
      const [axisX, axisY, axisZ] = this.#axes;
      history.setVelocity(axisX.speeds?.[index] ?? 0, axisY.speeds?.[index] ?? 0, axisZ.speeds?.[index] ?? 0);
    }
    const turn = this.#turn;
    if (turn !== undefined) history.setRotation(turn.x[index], turn.y[index], turn.z[index], turn.w[index]);
    if (this.#disabled !== undefined) history.setDisabled(this.#disabled[index]);
    if (this.#frame !== undefined && this.hitboxes.frames > 0)
      history.setFrame(Math.min(this.#frame[index], this.hitboxes.frames - 1));
    if (this.#pose === undefined) return;
    for (let i = 0; i < this.hitboxes.count; i++) history.setPose(i, 0, 0, 0);
    this.#posed = history;
    this.#pose(this.#table.rowAt(index), this.#place);
  }
}

/** What of a state's entities can be hit: as it says, or its plain `hitbox` as a set. */
export function hitboxesOf({ hitbox, rewound }: StateDefinition): HitboxSet {
  return rewound.hitboxes ?? setOf(hitbox);
}

function setOf(hitbox: Hitbox): HitboxSet {
  const { radius } = hitbox;
  if (hitbox.shape === "circle") return defineHitboxes({ body: { shape: "sphere", radius } });
  const half = hitbox.length / 2;
  return defineHitboxes({ body: { shape: "capsule", radius, from: [-half, 0], to: [half, 0] } });
}

function quaternions(storage: unknown): Readonly<Record<"x" | "y" | "z" | "w", Numbers>> | undefined {
  const [x, y, z, w] = ["x", "y", "z", "w"].map((part) => numbersOf(storage, part));
  return x === undefined || y === undefined || z === undefined || w === undefined || ArrayBuffer.isView(storage)
    ? undefined
    : { x, y, z, w };
}
