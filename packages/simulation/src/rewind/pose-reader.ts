/** Reads where a table's entities are, and how their hitboxes stand, into a history. */
import type { Fields, Hitbox, StateDefinition, StateTable } from "../state/index.ts";
import { defineHitboxes } from "./hitboxes/hitbox-set.ts";
import type { HitboxSet } from "./hitboxes/hitbox-set.ts";
import type { SnapshotHistory, SnapshotHistoryOptions } from "./history/snapshot-history.ts";

type Numbers = Float64Array | Int32Array | Uint8Array;

export class PoseReader {
  readonly hitboxes: HitboxSet;
  readonly rotation: "angle" | "quaternion";
  readonly #table: StateTable<Fields>;
  readonly #z: Numbers | undefined;
  readonly #angle: Numbers | undefined;
  readonly #turn: Readonly<Record<"x" | "y" | "z" | "w", Numbers>> | undefined;
  readonly #frame: Numbers | undefined;
  readonly #disabled: Numbers | undefined;

  /** `table` is one of `state`'s: the world's own, or what is drawn of it. */
  constructor(state: StateDefinition, table: StateTable<Fields>) {
    this.#table = table;
    this.hitboxes = hitboxesOf(state);
    const columns: Readonly<Record<string, unknown>> = table.columns;
    const { turn, frame, disabled } = state.rewound;
    const [first, second, third] = state.position;
    this.#z = second === undefined ? numbers(columns[first], "z") : numbers(columns[third ?? ""]);
    const turned = turn === undefined ? undefined : columns[turn];
    this.#angle = numbers(turned);
    this.#turn = quaternions(turned);
    this.rotation = this.#turn === undefined ? "angle" : "quaternion";
    this.#frame = frame === undefined ? undefined : numbers(columns[frame]);
    this.#disabled = disabled === undefined ? undefined : numbers(columns[disabled]);
  }

  /** Whether its entities are anywhere at all. */
  get hasPlaces(): boolean {
    return this.#table.positionX !== undefined && this.#table.positionY !== undefined;
  }

  createHistoryOptions(tickMs: number, windowMs: number): SnapshotHistoryOptions {
    const { capacity } = this.#table;
    return { capacity, hitboxes: this.hitboxes, rotation: this.rotation, tickMs, windowMs };
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
    const turn = this.#turn;
    if (turn !== undefined) history.setRotation(turn.x[index], turn.y[index], turn.z[index], turn.w[index]);
    if (this.#disabled !== undefined) history.setDisabled(this.#disabled[index]);
    if (this.#frame !== undefined && this.hitboxes.frames > 0)
      history.setFrame(Math.min(this.#frame[index], this.hitboxes.frames - 1));
  }
}

/** What of a state's entities can be hit: as it says, or its plain `hitbox` as a set. */
function hitboxesOf({ hitbox, rewound }: StateDefinition): HitboxSet {
  return rewound.hitboxes ?? setOf(hitbox);
}

function setOf(hitbox: Hitbox): HitboxSet {
  const { radius } = hitbox;
  if (hitbox.shape === "circle") return defineHitboxes({ body: { shape: "sphere", radius } });
  const half = hitbox.length / 2;
  return defineHitboxes({ body: { shape: "capsule", radius, from: [-half, 0], to: [half, 0] } });
}

function numbers(storage: unknown, part?: string): Numbers | undefined {
  if (part !== undefined && typeof storage === "object" && storage !== null && part in storage)
    return numbers((storage as Readonly<Record<string, unknown>>)[part]);
  const isNumbers = storage instanceof Float64Array || storage instanceof Int32Array || storage instanceof Uint8Array;
  return isNumbers ? storage : undefined;
}

function quaternions(storage: unknown): Readonly<Record<"x" | "y" | "z" | "w", Numbers>> | undefined {
  const [x, y, z, w] = ["x", "y", "z", "w"].map((part) => numbers(storage, part));
  return x === undefined || y === undefined || z === undefined || w === undefined || ArrayBuffer.isView(storage)
    ? undefined
    : { x, y, z, w };
}
