import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { ConvexDistance } from "./hitboxes/convex-distance.ts";
import { defineHitboxes, POSE_NUMBERS } from "./hitboxes/hitbox-set.ts";
import type { HitboxOptions, HitboxPose, HitboxPoseOptions } from "./hitboxes/hitbox-set.ts";
import { rayHitbox } from "./hitboxes/ray-shapes.ts";
import { SnapshotHistory } from "./history/snapshot-history.ts";
import { RewindQuery } from "./rewind-query.ts";
import { CommonTime, RewoundPoses } from "./rewound-poses.ts";
import type { RewindView } from "./rewound-poses.ts";

const SHAPES: Readonly<Record<string, HitboxOptions>> = {
  head: { shape: "sphere", radius: 0.2, at: [0.1, 0, 1.6], layer: "head" },
  body: { shape: "capsule", radius: 0.35, from: [0, -0.1, 0.5], to: [0, 0.1, 1.3] },
  pack: { shape: "box", half: [0.2, 0.3, 0.3], at: [-0.4, 0, 1], turn: [0, 0.38, 0, 0.92] },
  skirt: {
    shape: "hull",
    points: [
      [0.5, 0, 0],
      [-0.4, 0.4, 0],
      [-0.4, -0.4, 0],
      [0, 0, 0.8],
    ],
  },
};
const FRAMES: HitboxPose[][] = [0, 1, 2].map((f) =>
  Object.keys(SHAPES).map((_, i) => ({
    offset: [0.1 * f, -0.1 * i, 0.05 * f],
    turn: f === 1 ? [0, 0, 1, 0] : [0, 0, 0, 1],
  })),
);
const POSES: readonly HitboxPoseOptions[] = [
  {},
  { pose: "palette", palette: FRAMES },
  { pose: "posed", extent: { radius: 1.6, low: -0.6, high: 2.4 } },
];
const TICKS = 60;
const PLACES = 24;

/** A small generator of numbers from 0 to 1, so that a whole world hangs on one seed. */
function numbers(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    state ^= state >>> 13;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Entities that walk, come, go, jump and turn in a place of `size`. */
function world(
  seed: number,
  poses: HitboxPoseOptions,
  rotation: "angle" | "quaternion",
  size: number,
  recorded: (past: SnapshotHistory) => void = () => undefined,
) {
  const random = numbers(seed);
  const hitboxes = defineHitboxes(SHAPES, poses);
  const past = new SnapshotHistory({ capacity: PLACES, hitboxes, tickMs: 16, maxSnapshots: 24, rotation });
  const all = Array.from({ length: PLACES }, (_, place) => ({
    id: place,
    alive: random() < 0.8,
    x: random() * size,
    y: random() * size,
    z: random() * 2,
    angle: random() * 6,
    frame: 0,
  }));
  for (let tick = 0; tick < TICKS; tick++) {
    past.begin(tick);
    for (const [place, entity] of all.entries()) {
      if (random() < 0.03) {
        entity.alive = !entity.alive;
        if (entity.alive) entity.id = (entity.id + 0x10000) & 0xffffff;
      }
      if (!entity.alive) {
        past.setNobody(place);
        continue;
      }
      const jumped = random() < 0.02;
      entity.x += jumped ? (random() - 0.5) * size : random() - 0.5;
      entity.y += random() - 0.5;
      entity.z += (random() - 0.5) * 0.2;
      entity.angle += random() - 0.5;
      past.set(place, entity.id, entity.x, entity.y, entity.z, entity.angle, jumped);
      const half = [Math.sin(entity.angle / 2), Math.cos(entity.angle / 2)];
      if (rotation === "quaternion") past.setRotation(half[0] * 0.6, half[0] * 0.8, 0, half[1]);
      past.setDisabled(random() < 0.1 ? 0b0110 : 0);
      if (hitboxes.pose === "palette") past.setFrame(Math.floor(random() * 3));
      if (hitboxes.pose === "posed")
        for (let i = 0; i < hitboxes.count; i++)
          past.setPose(i, random() * 0.4 - 0.2, random() * 0.4 - 0.2, random() * 0.4 - 0.2, 0, half[0], 0, half[1]);
    }
    recorded(past);
  }
  // Each entity at moments of its own, some beyond what there is, some not seen at all.
  const moments = all.map(() => ({ from: TICKS - 30 + Math.floor(random() * 30), span: Math.floor(random() * 8) }));
  const fractions = all.map(() => random());
  const view: RewindView = {
    viewTick: TICKS - 14 + random() * 10,
    isWithin: seed % 5 !== 0,
    resolve(id, out) {
      const place = id & 0xffff;
      out.fromTick = moments[place].from;
      out.toTick = moments[place].from + moments[place].span;
      out.fraction = fractions[place];
      return place % 7 !== 3;
    },
  };
  return { random, past, view };
}

const worlds = fc.record({
  seed: fc.integer(),
  poses: fc.constantFrom(...POSES),
  rotation: fc.constantFrom<"angle" | "quaternion">("angle", "quaternion"),
  size: fc.constantFrom(5, 20, 200),
});

/** What is found by looking at everybody. */
function* everybody(past: SnapshotHistory, view: RewindView, layers: number) {
  const poses = new RewoundPoses(past);
  poses.look(view);
  const middle = { x: 0, y: 0, z: 0 };
  for (let place = 0; place < past.usedPlaces; place++) {
    if (!poses.find(place)) continue;
    poses.stand();
    for (let i = 0; i < past.hitboxes.count; i++) {
      if (((poses.pose.disabled >>> i) & 1) === 1 || (past.hitboxes.layers[i] & layers) === 0) continue;
      poses.middleOf(i, middle);
      yield { place, i, poses, at: poses.numbersOf(i), pose: poses.pose };
    }
  }
}

const scratch = [
  { x: 0, y: 0, z: 0 },
  { x: 0, y: 0, z: 0 },
  { x: 0, y: 0, z: 0 },
];

describe("RewindQuery", () => {
  it("meets with a ray whom looking at everybody says it meets", () => {
    let hits = 0;
    fc.assert(
      fc.property(worlds, ({ seed, poses, rotation, size }) => {
        const { random, past, view } = world(seed, poses, rotation, size);
        const query = new RewindQuery(past);
        query.look(view);
        for (let shot = 0; shot < 40; shot++) {
          const [x, y, z] = [random() * size, random() * size, random() * 3];
          const turn = random() * 6.3;
          const rise = shot % 10 === 0 ? 1 : (random() - 0.5) * 0.4;
          const flat = Math.sqrt(1 - rise * rise);
          const [dx, dy, dz] = [flat * Math.cos(turn), shot % 9 === 0 ? 0 : flat * Math.sin(turn), rise];
          const length = Math.hypot(dx, dy, dz);
          const along: [number, number, number] = [dx / length, dy / length, dz / length];
          const layers = shot % 5 === 0 ? 1 : -1;
          const range = random() * size;
          const got = query.raycast(x, y, z, ...along, range, { except: -1, layers });
          let nearest = Infinity;
          const winners: number[] = [];
          for (const { place, i, poses: standing, at, pose } of everybody(past, view, layers)) {
            standing.turnBack(x - pose.x, y - pose.y, z - pose.z, scratch[0]);
            standing.turnBack(...along, scratch[1]);
            const [from, by] = scratch;
            const distance = rayHitbox(
              past.hitboxes,
              i,
              at,
              i * POSE_NUMBERS,
              from.x,
              from.y,
              from.z,
              by.x,
              by.y,
              by.z,
            );
            if (!(distance <= range) || distance > nearest) continue;
            if (distance < nearest) winners.length = 0;
            nearest = distance;
            winners.push(place);
          }
          assert.equal(got, nearest);
          if (nearest < Infinity) {
            hits++;
            assert.ok(winners.includes(query.place));
          } else assert.equal(query.place, -1);
        }
      }),
      { seed: 8, numRuns: 450 },
    );
    assert.ok(hits > 1000, `${hits} hits`);
  });

  it("meets with many rays whom each of them meets alone", () => {
    let hits = 0;
    fc.assert(
      fc.property(worlds, ({ seed, poses, rotation, size }) => {
        const { random, past, view } = world(seed, poses, rotation, Math.min(size, 20));
        const query = new RewindQuery(past);
        query.look(view);
        const count = 1 + Math.floor(random() * 9);
        const spread = random() < 0.2 ? 6 : random() * 0.5;
        const turn = random() * 6.3;
        const directions = new Float64Array(count * 3);
        for (let i = 0; i < count; i++) {
          const a = turn + (random() - 0.5) * spread;
          const rise = (random() - 0.5) * 0.3;
          const flat = Math.sqrt(1 - rise * rise);
          directions.set([flat * Math.cos(a), flat * Math.sin(a), rise], i * 3);
        }
        const [x, y, z] = [random() * 20, random() * 20, 1 + random()];
        const reached = Float64Array.from({ length: count }, () => random() * 20);
        const ranges = reached.slice();
        query.raycastAll(x, y, z, directions, reached);
        const met = [...query.metPlaces.subarray(0, count)];
        for (let i = 0; i < count; i++) {
          const [dx, dy, dz] = directions.subarray(i * 3, i * 3 + 3);
          const alone = query.raycast(x, y, z, dx, dy, dz, ranges[i]);
          assert.equal(reached[i], Math.min(alone, ranges[i]));
          assert.equal(met[i] < 0, alone === Infinity);
          if (alone < Infinity) hits++;
        }
      }),
      { seed: 9, numRuns: 1000 },
    );
    assert.ok(hits > 200, `${hits} hits`);
  });

  it("meets with bodies, moving and not, whom looking at everybody says they meet", () => {
    const convex = new ConvexDistance();
    let swept = 0;
    let overlapped = 0;
    fc.assert(
      fc.property(worlds, ({ seed, poses, rotation, size }) => {
        const { random, past, view } = world(seed, poses, rotation, Math.min(size, 20));
        const query = new RewindQuery(past);
        query.look(view);
        for (let shot = 0; shot < 10; shot++) {
          const [ax, ay, az] = [random() * 20, random() * 20, random() * 3];
          const isSphere = shot % 2 === 0;
          const [bx, by, bz] = isSphere ? [ax, ay, az] : [ax + random() - 0.5, ay + random() * 2, az + random()];
          const radius = random() * 2;
          const body = { ax, ay, az, bx, by, bz, radius };
          const turn = random() * 6.3;
          const rise = (random() - 0.5) * 0.6;
          const flat = Math.sqrt(1 - rise * rise);
          const along: [number, number, number] = [flat * Math.cos(turn), flat * Math.sin(turn), rise];
          const range = random() * 20;
          const distance = query.bodies.sweep(body, ...along, range);
          query.bodies.overlap(body);
          const { found: count, places, distances: gaps } = query.bodies;
          const found = new Map(Array.from({ length: count }, (_, i) => [places[i], gaps[i]]));
          const touched = new Map<number, number>();
          let nearest = Infinity;
          for (const { place, i, poses: standing, at, pose } of everybody(past, view, -1)) {
            const [a, b, by2] = scratch;
            standing.turnBack(ax - pose.x, ay - pose.y, az - pose.z, a);
            standing.turnBack(bx - pose.x, by - pose.y, bz - pose.z, b);
            standing.turnBack(...along, by2);
            const box = i * POSE_NUMBERS;
            const way: [number, number, number] = [by2.x, by2.y, by2.z];
            const { hitboxes } = past;
            const gets = convex.sweep(hitboxes, i, at, box, a.x, a.y, a.z, b.x, b.y, b.z, radius, ...way, range);
            nearest = Math.min(nearest, gets);
            const gap = convex.distance(hitboxes, i, at, box, a.x, a.y, a.z, b.x, b.y, b.z, 0);
            if (gap <= radius) touched.set(place, Math.min(gap, touched.get(place) ?? Infinity));
          }
          assert.equal(distance, nearest);
          if (nearest < Infinity) swept++;
          assert.deepEqual(found, touched);
          overlapped += touched.size;
          const distances = [...query.bodies.distances.subarray(0, query.bodies.found)];
          assert.deepEqual(
            distances,
            distances.toSorted((p, q) => p - q),
            "the nearest first",
          );
        }
      }),
      { seed: 10, numRuns: 250 },
    );
    assert.ok(swept > 300 && overlapped > 300, `${swept} ${overlapped}`);
  });

  it("meets the same with a grid that it has kept for some ticks as with a new one", () => {
    let hits = 0;
    fc.assert(
      fc.property(worlds, ({ seed, poses, rotation, size }) => {
        const random = numbers(seed + 1);
        let kept: RewindQuery | undefined;
        world(seed, poses, rotation, size, (past) => {
          kept ??= new RewindQuery(past);
          const fresh = new RewindQuery(past);
          const view = new CommonTime(past.newestTick - random() * 5);
          kept.look(view);
          fresh.look(view);
          for (let shot = 0; shot < 5; shot++) {
            const [x, y, z] = [random() * size, random() * size, random() * 2];
            const turn = random() * 6.3;
            const distance: number = kept.raycast(x, y, z, Math.cos(turn), Math.sin(turn), 0, size);
            assert.equal(distance, fresh.raycast(x, y, z, Math.cos(turn), Math.sin(turn), 0, size));
            assert.equal(kept.place, fresh.place);
            if (distance < Infinity) hits++;
          }
        });
      }),
      { seed: 12, numRuns: 100 },
    );
    assert.ok(hits > 1000, `${hits} hits`);
  });

  it("meets those who run out of where everybody was when the grid was made", () => {
    for (const [dx, dy] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ]) {
      const hitboxes = defineHitboxes({ body: { shape: "sphere", radius: 0.5 } });
      const past = new SnapshotHistory({ capacity: 2, hitboxes, tickMs: 16, maxSnapshots: 24 });
      const query = new RewindQuery(past);
      const view = new CommonTime(0);
      for (let tick = 0; tick < 40; tick++) {
        past.begin(tick);
        past.set(0, 0, -2 * dx, -2 * dy, 0, 0);
        past.set(1, 1, dx * tick, dy * tick, 0, 0);
        view.viewTick = tick;
        query.look(view);
        const [x, y] = [dx * tick, dy * tick];
        assert.equal(query.raycast(x - 9 * dy, y - 9 * dx, 0, Math.abs(dy) * dy, Math.abs(dx) * dx, 0, 50), 8.5);
        // From close behind, where nobody was.
        const distance = query.raycast(x - 0.75 * dx, y - 0.75 * dy, 0, dx, dy, 0, 50);
        assert.equal(distance, 0.25, `tick ${tick}, towards ${dx}, ${dy}`);
      }
    }
  });

  it("sees the dead where they lived, and nobody where nobody was", () => {
    const past = new SnapshotHistory({ capacity: 4, hitboxes: defineHitboxes(SHAPES), tickMs: 10 });
    for (let tick = 0; tick < 40; tick++) {
      past.begin(tick);
      // One that goes at 20, and another that takes its place at 30.
      if (tick < 20) past.set(2, 2, 10, 0, 0, 0);
      else if (tick < 30) past.setNobody(2);
      else past.set(2, 0x10002, 10, 0, 0, 0);
    }
    const query = new RewindQuery(past);
    const at = (tick: number): number => {
      query.look(new CommonTime(tick));
      return query.raycast(0, 0, 1, 1, 0, 0, 20) < Infinity ? query.id : -1;
    };
    assert.equal(at(15), 2);
    assert.equal(at(19), 2);
    assert.equal(at(25), -1);
    assert.equal(at(35), 0x10002);
    assert.equal(at(39), 0x10002);
  });

  it("finds where they are now those of whom it is told", () => {
    const past = new SnapshotHistory({ capacity: 4, hitboxes: defineHitboxes(SHAPES), tickMs: 10 });
    for (let tick = 0; tick < 10; tick++) {
      past.begin(tick);
      past.set(1, 1, 10, 0, 0, 0);
    }
    const query = new RewindQuery(past);
    const hits = (y: number): boolean => query.raycast(0, y, 1, 1, 0, 0, 20) < Infinity;
    query.look(new CommonTime(5));
    assert.deepEqual([hits(0), hits(40)], [true, false]);
    assert.ok(past.setLive(1, 1, 10, 40, 0, 0));
    query.meetLive(1);
    assert.deepEqual([hits(0), hits(40)], [false, true]);
    assert.equal(query.bodies.overlap({ ax: 10, ay: 40, az: 1, bx: 10, by: 40, bz: 1, radius: 1 }), 1);
    query.look(new CommonTime(5));
    assert.deepEqual([hits(0), hits(40)], [true, false]);
  });

  it("meets, of two at the same distance, the one with the lower place, however the grid has them", () => {
    const past = new SnapshotHistory({ capacity: 4, hitboxes: defineHitboxes(SHAPES), tickMs: 10 });
    past.begin(0);
    past.set(1, 1, 0, 0, 0, 0);
    past.set(2, 2, 0, 0, 0, 0);
    // Has been far away: it is in no cell, and met by every query before the others.
    past.set(3, 3, 500, 500, 0, 0);
    past.begin(1);
    for (const place of [1, 2, 3]) past.set(place, place, 0, 0, 0, 0, place === 3);
    const query = new RewindQuery(past);
    query.look(new CommonTime(1));
    assert.equal(query.raycast(0, 0, 1, 1, 0, 0, 20), 0);
    assert.equal(query.place, 1);
    query.raycastAll(-5, 0, 1, Float64Array.of(1, 0, 0), Float64Array.of(20));
    assert.equal(query.metPlaces[0], 1);
    const body = { ax: 0, ay: 0, az: 1, bx: 0, by: 0, bz: 1, radius: 0.1 };
    query.bodies.sweep(body, 1, 0, 0, 20);
    assert.equal(query.bodies.place, 1);
    assert.equal(query.bodies.overlap(body), 3);
    assert.deepEqual([...query.bodies.places.subarray(0, 3)], [1, 2, 3]);
  });

  it("leaves out who is excepted, and asks about whom it meets only", () => {
    const past = new SnapshotHistory({ capacity: 4, hitboxes: defineHitboxes(SHAPES), tickMs: 10 });
    past.begin(0);
    past.set(0, 0, 5, 0, 0, 0);
    past.set(1, 1, 10, 0, 0, 0);
    past.set(2, 2, 10, 9, 0, 0);
    const query = new RewindQuery(past);
    query.look(new CommonTime(0));
    const asked: number[] = [];
    const accept = (_place: number, id: number): boolean => {
      asked.push(id);
      return id !== 0;
    };
    assert.ok(query.raycast(0, 0, 1, 1, 0, 0, 20, { except: -1, layers: -1, accept }) > 9);
    assert.deepEqual(
      asked.toSorted((a, b) => a - b),
      [0, 1],
    );
    assert.equal(query.id, 1);
    query.raycast(0, 0, 1, 1, 0, 0, 20, { except: 1, layers: -1 });
    assert.equal(query.id, 0);
  });
});
