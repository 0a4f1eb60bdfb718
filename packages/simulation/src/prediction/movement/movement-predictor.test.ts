import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { StaticGeometry } from "../../game/statics/static-geometry.ts";
import { defineState, float, StateTable, uint } from "../../state/index.ts";
import type { MovementBody, MovementWish } from "./movement-body.ts";
import { MovementPredictor } from "./movement-predictor.ts";

const DT = 1 / 60;
const still: MovementWish = { moveX: 0, moveY: 0, jump: false, dash: false, aim: 0 };
const right: MovementWish = { ...still, moveX: 1 };
const nothing = new StaticGeometry();
const speedOf = ({ vx, vy }: MovementBody): number => Math.hypot(vx, vy);
const flat = (): Required<
  Pick<MovementBody, "x" | "y" | "vx" | "vy" | "dash" | "dashWait" | "knockX" | "knockY" | "aim">
> => ({
  x: 0,
  y: 0,
  vx: 0,
  vy: 0,
  dash: 0,
  dashWait: 0,
  knockX: 0,
  knockY: 0,
  aim: 0,
});
const tall = (z = 0) => ({ x: 0, y: 0, z, vx: 0, vy: 0, vz: 0 });

describe("MovementPredictor in the plan", () => {
  it("comes to its speed and to a stand at the stated rates, and is no faster on the diagonal", () => {
    const mover = new MovementPredictor({ maxSpeed: 6, acceleration: 60, friction: 30 });
    const body = flat();
    for (let i = 0; i < 3; i++) mover.step(body, right, DT, nothing);
    assert.ok(Math.abs(body.vx - 3) < 1e-9);
    for (let i = 0; i < 60; i++) mover.step(body, { ...still, moveX: 1, moveY: 1 }, DT, nothing);
    assert.ok(Math.abs(speedOf(body) - 6) < 1e-9);
    for (let i = 0; i < 6; i++) mover.step(body, still, DT, nothing);
    assert.ok(Math.abs(speedOf(body) - 3) < 1e-9);
    for (let i = 0; i < 6; i++) mover.step(body, still, DT, nothing);
    assert.ok(speedOf(body) < 1e-9);
    mover.step(body, { ...still, moveX: 0.5 }, DT, nothing);
    for (let i = 0; i < 60; i++) mover.step(body, { ...still, moveX: 0.5 }, DT, nothing);
    assert.ok(Math.abs(body.vx - 3) < 1e-9, "a stick half way: half the speed");
  });

  it("dashes for its ticks, where it goes or looks, and again after the cooldown", () => {
    const mover = new MovementPredictor({ maxSpeed: 6, dashSpeed: 24, dashTicks: 5, dashCooldownTicks: 20 });
    const body = flat();
    const fast: number[] = [];
    for (let i = 0; i < 50; i++) {
      mover.step(body, { ...still, dash: true, aim: Math.PI / 2 }, DT, nothing);
      if (speedOf(body) > 6.1) fast.push(i);
    }
    assert.deepEqual(fast, [0, 1, 2, 3, 20, 21, 22, 23, 40, 41, 42, 43]);
    assert.ok(body.y > 4 && Math.abs(body.x) < 1e-9, "standing, where it looks");
    const runner = flat();
    mover.step(runner, { ...right, dash: true, aim: Math.PI / 2 }, DT, nothing);
    assert.deepEqual([runner.vx, runner.vy], [24, 0]);
    const { dash: _, ...without } = flat();
    mover.step(without, { ...right, dash: true }, DT, nothing);
    assert.ok(speedOf(without) < 6, "a body without `dash` has none");
  });

  it("is carried on by a knock while that decays, and keeps its own way", () => {
    const mover = new MovementPredictor({ knockbackSec: 0.15 });
    const body = flat();
    mover.knock(body, 10, 0);
    for (let i = 0; i < 9; i++) mover.step(body, still, DT, nothing);
    assert.ok(body.knockX > 4.5 && body.knockX < 5.5, `${body.knockX}`);
    assert.equal(body.vx, 0);
    for (let i = 0; i < 90; i++) mover.step(body, still, DT, nothing);
    assert.equal(body.knockX, 0);
    assert.ok(body.x > 1.5 && body.x < 3);
    const wall = new StaticGeometry({ boxes: [{ x: 3, y: 0, width: 2, height: 10 }] });
    const hit = flat();
    mover.knock(hit, 60, 5);
    for (let i = 0; i < 5; i++) mover.step(hit, right, DT, wall);
    assert.ok(hit.x < 1.5 && Math.abs(hit.knockX) < 1e-9 && hit.knockY > 2, "the wall takes what goes into it");
    const { knockX: _x, knockY: _y, ...plain } = flat();
    mover.knock(plain, 4, 0);
    assert.equal(plain.vx, 4);
  });

  it("never ends in a wall or gets through one, circle or capsule, settled to its steps after every tick", () => {
    const coordinate = float({ min: -20, max: 20, step: 1 / 64 });
    const velocity = float({ min: -200, max: 200, step: 1 / 32 });
    const State = defineState({
      x: coordinate,
      y: coordinate,
      vx: velocity,
      vy: velocity,
      knockX: velocity,
      knockY: velocity,
      aim: float({ min: -4, max: 4, step: 1 / 256 }),
      dash: uint({ max: 10 }),
    });
    const room = new StaticGeometry({
      boxes: [
        { x: 0, y: 8, width: 16.2, height: 0.1 },
        { x: 0, y: -8, width: 16.2, height: 0.1 },
        { x: 8, y: 0, width: 0.1, height: 16.2 },
        { x: -8, y: 0, width: 0.1, height: 16.2 },
        { x: 3, y: 3, width: 3, height: 0.1 },
        { x: 4.5, y: 1.5, width: 0.1, height: 3 },
      ],
      circles: [
        { x: -3, y: 2, radius: 1 },
        { x: -3, y: -2.2, radius: 1.2 },
      ],
    });
    const wish = fc.record({
      moveX: fc.constantFrom(-1, 0, 1),
      moveY: fc.constantFrom(-1, 0, 1),
      dash: fc.boolean(),
      jump: fc.constant(false),
      aim: fc.integer({ min: -800, max: 800 }).map((n) => n / 256),
      ticks: fc.integer({ min: 1, max: 20 }),
      knock: fc.constantFrom(0, 0, 0, 150),
    });
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 30 }), fc.constantFrom(0, 1.5), (wishes, length) => {
        const mover = new MovementPredictor({ maxSpeed: 40, dashSpeed: 150, length });
        const table = new StateTable(State, { capacity: 1 });
        const row = table.spawn();
        for (const { ticks, knock, ...want } of wishes) {
          mover.knock(row, knock, knock / 2);
          for (let i = 0; i < ticks; i++) {
            mover.step(row, want, DT, room);
            table.settle();
            const { x, y } = row;
            assert.ok(Math.max(Math.abs(x), Math.abs(y)) < 8 - 0.5, `out at ${x}, ${y}`);
            const axisX = (Math.cos(row.aim) * length) / 2;
            const axisY = (Math.sin(row.aim) * length) / 2;
            assert.ok(!room.overlapsCapsule(x, y, 0.5, axisX, axisY), `in a wall at ${x}, ${y}, ${row.aim}`);
          }
        }
      }),
      { seed: 41, numRuns: 300 },
    );
  });

  it("takes a wish that is no number for none, and names a caller's mistake", () => {
    const mover = new MovementPredictor();
    const body = flat();
    mover.step(body, { ...still, moveX: Number.NaN, moveY: Number.NaN }, DT, nothing);
    assert.deepEqual([body.x, body.y, body.vx, body.vy], [0, 0, 0, 0]);
    assert.throws(() => mover.step(body, still, 0, nothing), RangeError);
    assert.throws(() => new MovementPredictor({ maxSpeed: -1 }), /maxSpeed/);
    assert.throws(() => new MovementPredictor({ radius: 0 }), /radius/);
    assert.throws(() => new MovementPredictor({ height: 2 }).step(flat(), still, DT, nothing), TypeError);
  });
});

describe("MovementPredictor with heights", () => {
  const mover = new MovementPredictor({ height: 1.8, jumpSpeed: 7, gravity: 20, stepHeight: 0.4 });

  it("falls to the floor, jumps as high as the numbers say, and lands on what is under it", () => {
    const body = tall(5);
    for (let i = 0; i < 120; i++) mover.step(body, still, DT, nothing);
    assert.deepEqual([body.z, body.vz], [0, 0]);
    let highest = 0;
    let ticks = 0;
    do {
      mover.step(body, { ...still, jump: ticks === 0 }, DT, nothing);
      highest = Math.max(highest, body.z);
      ticks++;
    } while (body.z > 0);
    assert.ok(Math.abs(highest - 49 / 40) < 0.07, `${highest}`);
    assert.ok(Math.abs(ticks * DT - 0.7) < 0.04, `${ticks} ticks`);
    const crate = new StaticGeometry({ boxes: [{ x: 2, y: 0, width: 2, height: 2, top: 1 }] });
    const jumper = tall();
    for (let i = 0; i < 60; i++) mover.step(jumper, { ...right, moveX: (2 - jumper.x) / 2, jump: i < 20 }, DT, crate);
    for (let i = 0; i < 60; i++) mover.step(jumper, still, DT, crate);
    assert.equal(jumper.z, 1);
  });

  it("walks up and down stairs, but not up what is higher than a step or where the head would not go", () => {
    const stairs = new StaticGeometry({
      boxes: [1, 2, 3, 4].map((i) => ({ x: 10 + i / 2 - 0.25, y: 0, width: 0.5, height: 4, top: i * 0.3 })),
    });
    const body = { ...tall(), x: 8 };
    let highest = 0;
    for (let i = 0; i < 120; i++) {
      mover.step(body, right, DT, stairs);
      highest = Math.max(highest, body.z);
      assert.ok(body.z === 0 || mover.isGrounded(body, stairs) || body.x > 12, "feet stay on the stairs");
    }
    assert.ok(Math.abs(highest - 1.2) < 1e-9, `${highest}`);
    assert.ok(body.x > 13 && body.z === 0, `${body.x}, ${body.z}`);
    const high = new StaticGeometry({ boxes: [{ x: 10, y: 0, width: 2, height: 4, top: 0.5 }] });
    const stopped = { ...tall(), x: 8 };
    for (let i = 0; i < 60; i++) mover.step(stopped, right, DT, high);
    assert.ok(stopped.x < 8.5 && stopped.z === 0);
    const low = new StaticGeometry({
      boxes: [
        { x: 10, y: 0, width: 2, height: 4, top: 0.3 },
        { x: 10, y: 0, width: 2, height: 4, bottom: 2, top: 3 },
      ],
    });
    const ducked = { ...tall(), x: 8 };
    for (let i = 0; i < 60; i++) mover.step(ducked, right, DT, low);
    assert.ok(ducked.x < 8.5 && ducked.z === 0, `${ducked.x}, ${ducked.z}`);
  });

  it("bumps its head, walks under what is high enough, and is not stopped by what is below its feet", () => {
    const bridge = new StaticGeometry({ boxes: [{ x: 4, y: 0, width: 3, height: 3, bottom: 2, top: 2.5 }] });
    const body = tall();
    let highest = 0;
    for (let i = 0; i < 90; i++) {
      mover.step(body, { ...right, jump: Math.abs(body.x - 4) < 1.5 }, DT, bridge);
      if (Math.abs(body.x - 4) < 1.5) highest = Math.max(highest, body.z);
      assert.ok(!bridge.overlaps(body.x, body.y, 0.5, body.z, body.z + 1.8));
    }
    assert.ok(body.x > 7, "it is under the bridge and through");
    assert.ok(highest <= 0.2 + 1e-9, `${highest}`);
    const over = { ...tall(2.5), x: 4 };
    for (let i = 0; i < 10; i++) mover.step(over, right, DT, bridge);
    assert.ok(over.z === 2.5 && over.x > 4.5);
  });

  it("never ends in a shape or below the ground at any speed, settled to its steps", () => {
    const coordinate = float({ min: -30, max: 30, step: 1 / 128 });
    const velocity = float({ min: -200, max: 200, step: 1 / 32 });
    const State = defineState({
      x: coordinate,
      y: coordinate,
      z: coordinate,
      vx: velocity,
      vy: velocity,
      vz: velocity,
    });
    const shape = fc.record({
      x: fc.integer({ min: -8, max: 8 }),
      y: fc.integer({ min: -8, max: 8 }),
      width: fc.integer({ min: 1, max: 4 }),
      height: fc.integer({ min: 1, max: 4 }),
      bottom: fc.constantFrom(-1, 0, 2, 2.5),
      top: fc.constantFrom(0.25, 0.6, 1, 3),
    });
    const wish = fc.record({
      moveX: fc.constantFrom(-1, 0, 1),
      moveY: fc.constantFrom(-1, 0, 1),
      jump: fc.boolean(),
      dash: fc.constant(false),
      aim: fc.constant(0),
      ticks: fc.integer({ min: 1, max: 30 }),
      knock: fc.constantFrom(0, 0, 0, 90),
    });
    let highest = 0;
    fc.assert(
      fc.property(fc.array(shape, { maxLength: 20 }), fc.array(wish, { maxLength: 20 }), (boxes, wishes) => {
        const statics = new StaticGeometry({ boxes: boxes.filter(({ bottom, top }) => bottom < top) });
        const table = new StateTable(State, { capacity: 1 });
        const row = table.spawn(-1, { z: 4 });
        if (statics.overlaps(0, 0, 0.51, 4, 5.8)) return;
        for (const { ticks, knock, ...want } of wishes) {
          mover.knock(row, knock, -knock, knock / 4);
          for (let i = 0; i < ticks; i++) {
            mover.step(row, want, DT, statics);
            table.settle();
            highest = Math.max(highest, row.z);
            assert.ok(row.z >= -0.005, `below the floor: ${row.z}`);
            const low = row.z + 0.011;
            assert.ok(
              !statics.overlaps(row.x, row.y, 0.5, low, row.z + 1.789),
              `inside at ${row.x}, ${row.y}, ${row.z}`,
            );
          }
        }
      }),
      { seed: 42, numRuns: 300 },
    );
    assert.ok(highest > 5);
  });
});
