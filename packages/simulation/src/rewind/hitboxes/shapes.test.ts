import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { ConvexDistance } from "./convex-distance.ts";
import { ConvexHull } from "./convex-hull.ts";
import { defineHitboxes, POSE_NUMBERS } from "./hitbox-set.ts";
import type { HitboxOptions, HitboxSet } from "./hitbox-set.ts";
import { rayHitbox } from "./ray-shapes.ts";
import { rotateBack } from "./vector.ts";
import type { Vector } from "./vector.ts";

type Point = [x: number, y: number, z: number];

const coordinate = fc.double({ min: -3, max: 3, noNaN: true });
const point = fc.tuple(coordinate, coordinate, coordinate);
const size = fc.double({ min: 0.1, max: 2, noNaN: true });
const unit = point
  .filter(([x, y, z]) => Math.hypot(x, y, z) > 0.1)
  .map(([x, y, z]): Point => [x, y, z].map((part) => part / Math.hypot(x, y, z)) as Point);
const turn = fc
  .tuple(coordinate, coordinate, coordinate, coordinate)
  .filter((q) => Math.hypot(...q) > 0.5)
  .map((q) => q.map((part) => part / Math.hypot(...q)) as [number, number, number, number]);
const CUBE: Point[] = [-1, 1].flatMap((x) => [-1, 1].flatMap((y) => [-1, 1].map((z): Point => [x, y, z])));
const shape: fc.Arbitrary<HitboxOptions> = fc.oneof(
  fc.record({ shape: fc.constant("sphere"), radius: size, at: point }),
  fc.record({ shape: fc.constant("capsule"), radius: size, from: point, to: point }),
  fc.record({ shape: fc.constant("box"), half: fc.tuple(size, size, size), at: point, turn }),
  fc.record({ shape: fc.constant("hull"), points: fc.tuple(size, size, size).map(([x, y, z]) => scaled(x, y, z)) }),
);

function scaled(x: number, y: number, z: number): Point[] {
  return CUBE.map(([cx, cy, cz]): Point => [cx * x, cy * y, cz * z]);
}

/** How far a point is from a shape; 0 inside. By other formulas than those that are tested. */
function distanceTo(options: HitboxOptions, set: HitboxSet, p: Point): number {
  if (options.shape === "sphere") {
    const [x, y, z = 0] = options.at ?? [0, 0, 0];
    return Math.max(0, Math.hypot(p[0] - x, p[1] - y, p[2] - z) - options.radius);
  }
  if (options.shape === "capsule") {
    const a = three(options.from);
    const b = three(options.to);
    const ab = b.map((end, i) => end - a[i]);
    const squared = ab.reduce((sum, part) => sum + part * part, 0);
    const dot = ab.reduce((sum, part, i) => sum + part * (p[i] - a[i]), 0);
    const t = squared === 0 ? 0 : Math.min(1, Math.max(0, dot / squared));
    return Math.max(0, Math.hypot(...ab.map((part, i) => p[i] - a[i] - part * t)) - options.radius);
  }
  // The hulls of these tests are boxes.
  const [cx, cy, cz, qx, qy, qz, qw] = set.rest;
  const local = { x: 0, y: 0, z: 0 };
  rotateBack(qx, qy, qz, qw, p[0] - cx, p[1] - cy, p[2] - cz, local);
  const half = options.shape === "box" ? three(options.half) : three(options.points.at(-1) ?? [0, 0, 0]);
  return Math.hypot(
    Math.max(0, Math.abs(local.x) - half[0]),
    Math.max(0, Math.abs(local.y) - half[1]),
    Math.max(0, Math.abs(local.z) - half[2]),
  );
}

function three([x, y, z = 0]: Vector): Point {
  return [x, y, z];
}

function minus(a: Point, b: Point): Point {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

function cross(a: Point, b: Point): Point {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function product(a: Point, b: Point): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function along(from: Point, by: Point, t: number): Point {
  return [from[0] + by[0] * t, from[1] + by[1] * t, from[2] + by[2] * t];
}

describe("rays against hitboxes", () => {
  it("stop where the shape begins, and miss what they never come into", () => {
    fc.assert(
      fc.property(shape, point, unit, (options, from, direction) => {
        const set = defineHitboxes({ it: options });
        const distance = rayHitbox(set, 0, set.rest, 0, ...from, ...direction);
        const end = Math.min(distance, 20);
        for (let t = 0; t < end - 1e-6; t += 0.05)
          assert.ok(distanceTo(options, set, along(from, direction, t)) > 0, `inside at ${t}, before ${distance}`);
        if (distance === Infinity) return;
        assert.ok(distanceTo(options, set, along(from, direction, distance)) < 1e-6, "on the surface");
        if (distance > 0) assert.ok(distanceTo(options, set, from) > 0, "it began outside");
      }),
      { seed: 3, numRuns: 3000 },
    );
  });

  it("are in the plane what the plane's own formulas say", () => {
    const set = defineHitboxes({
      circle: { shape: "sphere", radius: 1, at: [5, 0] },
      box: { shape: "box", half: [1, 2], at: [10, 0] },
      capsule: { shape: "capsule", radius: 0.5, from: [15, -1], to: [15, 1] },
    });
    const ray = (i: number, y: number): number => rayHitbox(set, i, set.rest, i * POSE_NUMBERS, 0, y, 0, 1, 0, 0);
    assert.equal(ray(0, 0), 4);
    assert.ok(Math.abs(ray(0, 0.6) - 4.2) < 1e-12);
    assert.equal(ray(0, 1.01), Infinity);
    assert.equal(ray(1, 1.9), 9);
    assert.equal(ray(1, 2.1), Infinity);
    assert.equal(ray(2, 0.9), 14.5);
    assert.ok(Math.abs(ray(2, 1.3) - 14.6) < 1e-12);
    assert.equal(ray(2, 1.51), Infinity);
  });
});

describe("distances from spheres and capsules to hitboxes", () => {
  it("are those of their nearest points", () => {
    fc.assert(
      fc.property(shape, point, point, fc.double({ min: 0, max: 1, noNaN: true }), (options, a, b, radius) => {
        const set = defineHitboxes({ it: options });
        const convex = new ConvexDistance();
        const found = convex.distance(set, 0, set.rest, 0, ...a, ...b, radius);
        let nearest = Infinity;
        const ab: Point = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
        for (let i = 0; i <= 400; i++) nearest = Math.min(nearest, distanceTo(options, set, along(a, ab, i / 400)));
        const expected = Math.max(0, nearest - radius);
        const spacing = Math.hypot(...ab) / 400;
        assert.ok(found <= expected + 1e-5 && found >= expected - spacing - 1e-5, `${found}, not ${expected}`);
      }),
      { seed: 5, numRuns: 2000 },
    );
  });

  it("say how far a moving body gets", () => {
    const radii = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(shape, point, point, unit, radii, (options, a, b, by, radius) => {
        const set = defineHitboxes({ it: options });
        const convex = new ConvexDistance();
        const gap = (t: number): number =>
          convex.distance(set, 0, set.rest, 0, ...along(a, by, t), ...along(b, by, t), radius);
        const t = convex.sweep(set, 0, set.rest, 0, ...a, ...b, radius, ...by, 20);
        for (let s = 0; s < Math.min(t, 20) - 1e-4; s += 0.1) assert.ok(gap(s) > 0, `touches at ${s}, before ${t}`);
        if (t < Infinity) assert.ok(gap(t) < 1e-4, `${gap(t)} away at the end`);
      }),
      { seed: 7, numRuns: 1000 },
    );
  });
});

describe("ConvexHull", () => {
  it("finds the faces of a body", () => {
    assert.equal(new ConvexHull(CUBE).planes.length / 4, 6);
    assert.equal(new ConvexHull([...CUBE, [0, 0, 0]]).planes.length / 4, 6, "a point inside changes nothing");
    assert.equal(
      new ConvexHull([
        [0, 0, 0],
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ]).planes.length / 4,
      4,
    );
  });

  it("is made of sums, products and roots, which are the same in every engine, to the last bit", () => {
    let apart = 0;
    const off = fc.integer({ min: -200_000, max: 200_000 }).map((millionths) => millionths / 1e6);
    const near = (x: number, y: number, z: number) =>
      fc.tuple(off, off, off).map(([dx, dy, dz]): Point => [x + dx, y + dy, z + dz]);
    fc.assert(
      fc.property(near(1, 0, 0), near(0, 1, 0), near(0, 0, 1), near(-1, -1, -1), (a, b, c, d) => {
        const normal = cross(minus(b, a), minus(c, a));
        const length = Math.sqrt(product(normal, normal));
        const scale = product(minus(d, a), normal) > 0 ? -1 / length : 1 / length;
        const { planes, reach } = new ConvexHull([a, b, c, d]);
        assert.deepEqual(
          [...planes.subarray(0, 3)],
          normal.map((part) => part * scale),
        );
        assert.equal(planes[3], product(a, normal) * scale);
        assert.equal(reach, Math.max(...[a, b, c, d].map((corner) => Math.sqrt(product(corner, corner)))));
        if (Math.hypot(...normal) !== length) apart++;
      }),
      { seed: 9, numRuns: 500 },
    );
    assert.ok(apart > 50, `${apart} lengths that the engine itself rounds in another way`);
  });

  it("refuses what is no body", () => {
    const flat: Point[] = [
      [0, 0, 0],
      [1, 0, 0],
      [0, 1, 0],
      [1, 1, 0],
    ];
    assert.throws(() => new ConvexHull(flat), RangeError);
    assert.throws(() => new ConvexHull(flat.slice(1)), RangeError);
    assert.throws(() => new ConvexHull([...flat.slice(1), [Number.NaN, 0, 1]]), RangeError);
  });
});

describe("defineHitboxes", () => {
  it("knows what all hitboxes are in", () => {
    const set = defineHitboxes({
      head: { shape: "sphere", radius: 0.2, at: [0.1, 0, 1.7], multiplier: 4, layer: "head" },
      body: { shape: "capsule", radius: 0.3, from: [0, 0, 0.3], to: [0, 0, 1.4] },
    });
    assert.deepEqual(set.extent, { radius: 0.30000000000000004, low: 0, high: 1.9 });
    assert.deepEqual([...set.multipliers], [4, 1]);
    assert.equal(set.layerMask(["head"]), 1);
    assert.equal(set.layerMask(undefined), -1);
    assert.throws(() => set.layerMask(["foot"]), RangeError);
  });

  it("refuses what cannot be", () => {
    const body: HitboxOptions = { shape: "sphere", radius: 1 };
    assert.throws(() => defineHitboxes({}), RangeError);
    assert.throws(() => defineHitboxes({ a: { shape: "sphere", radius: 0 } }), /"a": radius 0/);
    assert.throws(() => defineHitboxes({ a: { shape: "box", half: [1, -1, 1] } }), RangeError);
    assert.throws(() => defineHitboxes({ a: body }, { pose: "posed" }), /needs an extent/);
    assert.throws(() => defineHitboxes({ a: body }, { pose: "palette" }), /palette/);
    assert.throws(() => defineHitboxes({ a: body }, { pose: "palette", palette: [[]] }), /frame 0/);
    const many = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`box${i}`, body]));
    assert.throws(() => defineHitboxes(many), RangeError);
  });
});
