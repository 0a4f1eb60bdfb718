import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { angle, defineState, float, quaternion, StateTable, uint, vec2 } from "../../state/index.ts";
import { emptySample, INTERPOLATION_MODES, RecordBlend } from "../index.ts";
import type { InterpolationMode, StateSample } from "../index.ts";

const TICK_RATE = 60;
const place = { min: -100, max: 100, step: 1 / 1024 } as const;
const speed = float({ min: -50, max: 50, step: 1 / 256 });
const hidden = float({ min: -50, max: 50, step: 1 / 256, audience: "owner" });

/** Flies along a circle: `x` and `y` with speeds that all may know, `p` with one that only its owner knows, `q` without any. */
const Flyer = defineState({
  x: float({ ...place, velocity: "vx" }),
  y: float({ ...place, velocity: "vy" }),
  p: float({ ...place, velocity: "vp" }),
  q: float(place),
  at: vec2(float(place), { velocity: "vat" }),
  aim: angle({ bits: 16 }),
  turn: quaternion({ bits: 18 }),
  shots: uint({ max: 1000 }),
  vx: speed,
  vy: speed,
  vp: hidden,
  vat: vec2(speed),
});

const RADIUS = 5;
/** Radians a tick. */
const TURN = 0.06;
const EVERY = 2;

const server = new StateTable(Flyer, { capacity: 1 });
const drawn = new StateTable(Flyer, { capacity: 1 });
const row = server.spawn();
drawn.spawn();
const shown = drawn.rowAt(0);
const blend = new RecordBlend(drawn, TICK_RATE);

/** Records of ticks 0, 2, 4, ... one after the other. */
const words = new Int32Array(Flyer.wordCount * 40);
for (let i = 0; i < 40; i++) {
  const turned = i * EVERY * TURN;
  const way = RADIUS * TURN * TICK_RATE;
  row.x = row.p = row.q = row.at.x = RADIUS * Math.cos(turned);
  row.y = row.at.y = RADIUS * Math.sin(turned);
  row.vx = row.vp = row.vat.x = -way * Math.sin(turned);
  row.vy = row.vat.y = way * Math.cos(turned);
  row.aim = turned;
  row.turn = { x: 0, y: Math.sin(turned / 2), z: 0, w: Math.cos(turned / 2) };
  row.shots = i;
  server.settle();
  server.readWords(0, words, i * Flyer.wordCount);
}

function sampleAt(view: number, beyondTicks = 0): StateSample {
  const first = Math.floor(view / EVERY) - (beyondTicks > 0 ? 1 : 0);
  const sample = emptySample();
  sample.from = first * Flyer.wordCount;
  sample.to = (first + 1) * Flyer.wordCount;
  sample.fraction = beyondTicks > 0 ? 1 + beyondTicks / EVERY : view / EVERY - first;
  sample.spanTicks = sample.earlierTicks = sample.earliestTicks = EVERY;
  sample.beyondTicks = beyondTicks;
  sample.earlier = (first - 1) * Flyer.wordCount;
  sample.earliest = (first - 2) * Flyer.wordCount;
  return sample;
}

/** Largest error of each field over the moments between updates, or so many ticks beyond the last. */
function errors(mode: InterpolationMode, beyondTicks = 0): Record<"x" | "y" | "p" | "q" | "at", number> {
  const worst = { x: 0, y: 0, p: 0, q: 0, at: 0 };
  for (let view = 20; view < 60; view += beyondTicks > 0 ? EVERY : 0.125) {
    blend.blend(0, words, sampleAt(view, beyondTicks), mode);
    const turned = (view + beyondTicks) * TURN;
    const x = RADIUS * Math.cos(turned);
    const y = RADIUS * Math.sin(turned);
    worst.x = Math.max(worst.x, Math.abs(shown.x - x));
    worst.y = Math.max(worst.y, Math.abs(shown.y - y));
    worst.p = Math.max(worst.p, Math.abs(shown.p - x));
    worst.q = Math.max(worst.q, Math.abs(shown.q - x));
    worst.at = Math.max(worst.at, Math.hypot(shown.at.x - x, shown.at.y - y));
  }
  return worst;
}

describe("RecordBlend", () => {
  it("follows a curve far more closely with velocities than along straight lines", () => {
    const linear = errors("linear");
    const curved = errors("hermite");
    assert.ok(linear.x > 0.008, `a straight line is off by ${linear.x}`);
    for (const name of ["x", "y", "at"] as const)
      assert.ok(curved[name] < linear[name] / 8, `${name}: ${curved[name]} of ${linear[name]}`);
    assert.ok(curved.p < linear.p / 3, `from an estimate: ${curved.p} of ${linear.p}`);
    assert.equal(curved.q, linear.q, "without a velocity it is a straight line");
    assert.deepEqual(errors("spherical").x, linear.x);
  });

  it("carries on by the velocity, which is closer than the last straight line", () => {
    const linear = errors("linear", 3);
    const carried = errors("extrapolation", 3);
    for (const name of ["x", "y", "p", "at"] as const)
      assert.ok(carried[name] < linear[name] * 0.7, `${name}: ${carried[name]} of ${linear[name]}`);
    assert.deepEqual(errors("hermite", 3), carried);
  });

  it("goes through every update, and on with the same speed, in every mode that blends", () => {
    for (const mode of ["linear", "hermite", "spherical", "extrapolation"] as const) {
      const speeds: number[] = [];
      for (const view of [30 - 1e-3, 30, 30 + 1e-3]) {
        blend.blend(0, words, sampleAt(view), mode);
        speeds.push(shown.x, shown.p);
      }
      const kink = (i: number): number => Math.abs(speeds[i + 4] - 2 * speeds[i + 2] + speeds[i]) / 1e-3;
      assert.ok(Math.abs(speeds[2] - RADIUS * Math.cos(30 * TURN)) < 1 / 1024);
      const curved = mode === "hermite" || mode === "extrapolation";
      if (curved) assert.ok(kink(0) < 0.001 && kink(1) < 0.02, `${mode}: ${kink(0)}, ${kink(1)}`);
      else assert.ok(kink(0) > 0.005, `${mode} has a corner: ${kink(0)}`);
    }
  });

  it("turns at a constant rate but in linear mode, also beyond the last update", () => {
    const far = 25;
    const angleAt = (fraction: number, mode: InterpolationMode): number => {
      const sample = { ...emptySample(), from: 0, to: far * Flyer.wordCount, fraction, spanTicks: far * EVERY };
      blend.blend(0, words, sample, mode);
      return 2 * Math.atan2(shown.turn.y, shown.turn.w);
    };
    const whole = far * EVERY * TURN;
    for (const fraction of [0, 0.1, 0.25, 0.5, 0.75, 1]) {
      for (const mode of ["spherical", "hermite", "extrapolation"] as const)
        assert.ok(Math.abs(angleAt(fraction, mode) - whole * fraction) < 1e-4, `${mode} at ${fraction}`);
    }
    assert.ok(Math.abs(angleAt(0.25, "linear") - whole * 0.25) > 0.05, "a normalised mix hurries in the middle");
    assert.ok(Math.abs(angleAt(1.04, "linear") - whole * 1.04) < 1e-3);
    for (const [first, second] of [
      [3, 3],
      [3, 4],
    ]) {
      const sample = { ...emptySample(), from: first * Flyer.wordCount, to: second * Flyer.wordCount, fraction: 0.5 };
      blend.blend(0, words, sample, "spherical");
      const { x, y, z, w } = shown.turn;
      assert.ok(Math.abs(Math.hypot(x, y, z, w) - 1) < 1e-12);
      assert.ok(Math.abs(2 * Math.atan2(y, w) - ((first + second) / 2) * EVERY * TURN) < 1e-4);
    }
  });

  it("shows one update as it is in the modes that do not blend", () => {
    for (const mode of ["none", "step"] as const) {
      blend.blend(0, words, sampleAt(31), mode);
      assert.equal(shown.shots, 15);
      assert.ok(Math.abs(shown.x - RADIUS * Math.cos(30 * TURN)) < 1 / 1024);
      assert.ok(Math.abs(shown.turn.y - Math.sin((30 * TURN) / 2)) < 1e-4);
      blend.blend(0, words, sampleAt(30, 5), mode);
      assert.equal(shown.shots, 15, "nothing is carried on");
    }
  });

  it("mixes nothing across a teleport, and takes no speed from before it", () => {
    const Jumper = defineState({
      x: float({ ...place, teleport: 10, velocity: "vx" }),
      vx: float({ min: -50, max: 50, step: 1 / 256, audience: "server" }),
    });
    const table = new StateTable(Jumper, { capacity: 1 });
    const target = new StateTable(Jumper, { capacity: 1 });
    const jumper = table.spawn();
    target.spawn();
    const records = new Int32Array(8);
    [0, 1, 50, 51].forEach((x, i) => {
      jumper.x = x;
      table.settle();
      table.readWords(0, records, i * 2);
    });
    const spans = { spanTicks: 2, earlierTicks: 2, earliestTicks: 2, beyondTicks: 0 };
    const jumps = new RecordBlend(target, TICK_RATE);
    for (const mode of INTERPOLATION_MODES) {
      jumps.blend(0, records, { ...spans, from: 2, to: 4, earlier: 0, earliest: -1, fraction: 0.9 }, mode);
      assert.equal(target.rowAt(0).x, 1, mode);
      jumps.blend(0, records, { ...spans, from: 4, to: 6, earlier: 2, earliest: 0, fraction: 0.5 }, mode);
      assert.equal(target.rowAt(0).x, mode === "none" || mode === "step" ? 50 : 50.5, mode);
    }
  });
});
