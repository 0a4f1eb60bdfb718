/**
 * People who walk about in a square: a capsule each for the legs, the body and the head, posed anew in every tick, 64 of
 * them a second, 32 ticks kept. Each is drawn between two updates of its own, which come at gaps of their own.
 */
import { Random } from "@riposte/protocol";
import { defineHitboxes, RewindQuery, SnapshotHistory } from "@riposte/simulation/rewind";
import type { DrawnPicture, HitboxOptions, HitboxPose, RewindView } from "@riposte/simulation/rewind";

export const SNAPSHOTS = 32;
export const PARTS = 3;
export const TICK_RATE = 64;
const SLOWEST = 2;
export const FASTEST = 6;
/** Ticks between two updates, at most. */
export const LONGEST_GAP = 8;
export const PREPARED_TICKS = 16;
/** Poses of a walk. */
const FRAMES = 64;
const POSE_NUMBERS = 7;
/** Someone turns elsewhere in one of so many ticks. */
const TURN_TICKS = 100;

const SHAPES: Readonly<Record<string, HitboxOptions>> = {
  legs: { shape: "capsule", radius: 0.17, from: [0, 0, 0.17], to: [0, 0, 0.75] },
  body: { shape: "capsule", radius: 0.26, from: [0, 0, 1], to: [0, 0, 1.35] },
  head: { shape: "capsule", radius: 0.12, from: [0, 0, 1.62], to: [0.05, 0, 1.7] },
};
/** What holds all poses: computed, it is 0.465 m around and 1.867 m high. */
const EXTENT = { radius: 0.5, low: -0.05, high: 1.9 };
const WALK = walk();

export interface SceneOptions {
  readonly entities: number;
  /** Of the square, in metres. */
  readonly size: number;
  /** Poses are frames of a palette. Default false: each tick says each. */
  readonly palette?: boolean;
}

export class Scene {
  readonly entities: number;
  readonly size: number;
  readonly history: SnapshotHistory;
  readonly query: RewindQuery;
  readonly random = new Random(64);
  readonly #palette: boolean;
  /** x, y, direction and its step (x, y) of everybody. */
  readonly #walkers: Float64Array;
  /** x, y and direction of everybody in the coming ticks. */
  readonly #ahead: Float64Array;
  #tick = 0;

  constructor({ entities, size, palette = false }: SceneOptions) {
    this.entities = entities;
    this.size = size;
    this.#palette = palette;
    const hitboxes = palette
      ? defineHitboxes(SHAPES, { pose: "palette", palette: Array.from({ length: FRAMES }, (_, f) => framePoses(f)) })
      : defineHitboxes(SHAPES, { pose: "posed", extent: EXTENT });
    this.history = new SnapshotHistory({
      capacity: entities,
      hitboxes,
      tickMs: 1000 / TICK_RATE,
      windowMs: 1000,
      maxSnapshots: SNAPSHOTS,
    });
    this.query = new RewindQuery(this.history);
    this.#walkers = new Float64Array(entities * 5);
    for (let i = 0; i < entities; i++) {
      this.#walkers[i * 5] = this.random.next() * size;
      this.#walkers[i * 5 + 1] = this.random.next() * size;
      this.#turn(i);
    }
    this.#ahead = new Float64Array(entities * 3 * PREPARED_TICKS);
    for (let tick = 0; tick < 2 * SNAPSHOTS; tick += PREPARED_TICKS) {
      this.prepare();
      this.record();
    }
  }

  /** Moves everybody on by `PREPARED_TICKS`, for `record`. */
  prepare(): void {
    for (let n = 0; n < PREPARED_TICKS; n++) this.#walk(n * this.entities * 3);
  }

  #walk(to: number): void {
    const walkers = this.#walkers;
    for (let i = 0; i < this.entities; i++) {
      const at = i * 5;
      const x = walkers[at] + walkers[at + 3];
      const y = walkers[at + 1] + walkers[at + 4];
      if (x < 0 || y < 0 || x > this.size || y > this.size || this.random.int(TURN_TICKS) === 0) this.#turn(i);
      else {
        walkers[at] = x;
        walkers[at + 1] = y;
      }
      this.#ahead[to + i * 3] = walkers[at];
      this.#ahead[to + i * 3 + 1] = walkers[at + 1];
      this.#ahead[to + i * 3 + 2] = walkers[at + 2];
    }
  }

  /** What a server does in every tick, for all that are prepared: records everybody, and makes them `findable`: by the query's grid. */
  record(findable: () => void = () => this.#buildGrid()): void {
    for (let n = 0; n < PREPARED_TICKS; n++) {
      this.#record(n * this.entities * 3);
      findable();
    }
  }

  #buildGrid(): void {
    this.query.grid.begin(0, 0, 1, 0, 0);
  }

  #record(from: number): void {
    const { history } = this;
    const ahead = this.#ahead;
    const tick = this.#tick++;
    history.begin(tick);
    for (let i = 0, at = from; i < this.entities; i++, at += 3) {
      history.set(i, i, ahead[at], ahead[at + 1], 0, ahead[at + 2]);
      const frame = (tick + i) % FRAMES;
      if (this.#palette) history.setFrame(frame);
      else {
        let pose = frame * PARTS * POSE_NUMBERS;
        for (let part = 0; part < PARTS; part++, pose += POSE_NUMBERS)
          history.setPose(
            part,
            WALK[pose],
            WALK[pose + 1],
            WALK[pose + 2],
            WALK[pose + 3],
            WALK[pose + 4],
            WALK[pose + 5],
            WALK[pose + 6],
          );
      }
    }
  }

  #turn(i: number): void {
    const angle = this.random.next() * 2 * Math.PI;
    const step = (SLOWEST + this.random.next() * (FASTEST - SLOWEST)) / TICK_RATE;
    this.#walkers[i * 5 + 2] = angle;
    this.#walkers[i * 5 + 3] = step * Math.cos(angle);
    this.#walkers[i * 5 + 4] = step * Math.sin(angle);
  }
}

/** Updates of an entity come every 1, 2, 4 or 8 ticks, not all in the same: it is drawn between the two around the view. */
export class OwnTimes implements RewindView {
  viewTick = 0;
  readonly isWithin = true;

  resolve(id: number, out: DrawnPicture): boolean {
    const gap = 1 << (id & 3);
    const phase = (id >> 2) & (gap - 1);
    const view = this.viewTick;
    const from = Math.floor((view - phase) / gap) * gap + phase;
    out.fromTick = from;
    out.toTick = from + gap;
    out.fraction = (view - from) / gap;
    return true;
  }
}

/** Offset and rotation of every part in every frame. */
function walk(): Float64Array {
  const numbers = new Float64Array(FRAMES * PARTS * POSE_NUMBERS);
  for (let frame = 0; frame < FRAMES; frame++)
    for (let part = 0; part < PARTS; part++) {
      const swing = Math.sin((frame / FRAMES) * 2 * Math.PI + part);
      const half = 0.25 * swing;
      numbers.set(
        [0.12 * swing, 0.05 * swing, 0.04 * swing * swing, 0.3 * Math.sin(half), Math.sin(half), 0, Math.cos(half)],
        (frame * PARTS + part) * POSE_NUMBERS,
      );
      const to = (frame * PARTS + part) * POSE_NUMBERS + 3;
      const length = Math.hypot(...numbers.subarray(to, to + 4));
      for (let k = to; k < to + 4; k++) numbers[k] /= length;
    }
  return numbers;
}

function framePoses(frame: number): HitboxPose[] {
  return Array.from({ length: PARTS }, (_, part) => {
    const [x, y, z, qx, qy, qz, qw] = WALK.subarray((frame * PARTS + part) * POSE_NUMBERS);
    return { offset: [x, y, z], turn: [qx, qy, qz, qw] };
  });
}
