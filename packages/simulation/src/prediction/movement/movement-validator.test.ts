import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StaticGeometry } from "../../game/statics/static-geometry.ts";
import type { MovementVerdict } from "./movement-claim.ts";
import { movementRules } from "./movement-options.ts";
import { MovementValidator } from "./movement-validator.ts";
import { movementFinding, validateMovement } from "./validate-movement.ts";

const rules = movementRules({ radius: 0.5, maxSpeed: 6, dashSpeed: 24, dashTicks: 10, dashCooldownTicks: 60 });
const tallRules = movementRules({ ...rules, height: 1.8 });
const statics = new StaticGeometry({ boxes: [{ x: 5, y: 0, width: 0.4, height: 100 }] });
const STEP = (6 * 3) / 60;

/** Walks along y from a start, a claim every third tick. */
class Walker {
  readonly validator = new MovementValidator(rules, statics);
  tick = 0;
  y = 0;
  placement: number;

  constructor() {
    this.placement = this.validator.place(0, 0, 0);
  }

  /** Goes on by `factor` times what is possible and claims it; obeys. */
  walk(factor = 1, more: { x?: number; dashTick?: number } = {}): MovementVerdict {
    this.tick += 3;
    this.y += STEP * factor;
    const claim = {
      tick: this.tick,
      placement: this.placement,
      x: more.x ?? 0,
      y: this.y,
      dashTick: more.dashTick ?? -1,
    };
    const verdict = this.validator.validate(claim, this.tick);
    if (verdict.moved) {
      this.placement = verdict.placement;
      this.y = verdict.y;
    }
    return verdict;
  }
}

describe("validateMovement", () => {
  const allowance = { distance: 2, highest: 1, swing: 1, tolerance: 0.02 };
  const finding = movementFinding();

  it("tells what is wrong, and where the body may be instead", () => {
    const from = { x: 3, y: 0, z: 0 };
    const judge = (x: number, y: number, z = 0, own = tallRules) =>
      validateMovement(from, { x, y, z }, allowance, own, statics, finding);
    assert.equal(judge(4, 1).fault, "none");
    assert.deepEqual([finding.x, finding.y, finding.excess], [4, 1, 0]);
    assert.equal(judge(3, 3).fault, "speed");
    assert.ok(Math.abs(finding.y - 2) < 1e-9 && Math.abs(finding.excess - 1) < 1e-9);
    assert.equal(judge(3, 12).fault, "teleport");
    assert.equal(judge(4.7, 0).fault, "clipping", "in the wall");
    assert.equal(
      validateMovement({ x: 4.2, y: 0 }, { x: 5.8, y: 0 }, allowance, rules, statics, finding).fault,
      "clipping",
    );
    assert.ok(finding.x < 4.3, "put back in front of the wall");
    assert.equal(judge(3, 0, 1.5).fault, "flying");
    assert.ok(finding.z <= 1);
    assert.equal(judge(3, 0, 1.5, rules).fault, "none", "no heights, no flying");
    assert.equal(judge(3, 0, -1).fault, "clipping", "under the floor");
  });
});

describe("MovementValidator", () => {
  it("takes honest claims, early, late and overtaken", () => {
    const walker = new Walker();
    for (let i = 0; i < 100; i++) assert.equal(walker.walk().outcome, "accept");
    const { tick, placement, y } = walker;
    assert.equal(walker.validator.validate({ tick: tick - 6, placement, x: 0, y: 0 }, tick).outcome, "ignore");
    assert.equal(walker.validator.validate({ tick, placement, x: 0, y: 0 }, tick).outcome, "ignore");
    // A second of silence, then on from where one can have got to.
    walker.tick += 57;
    walker.y = y + 6 - STEP;
    assert.equal(walker.walk().outcome, "accept");
    assert.equal(walker.validator.counters.ignored, 2);
  });

  it("corrects, then flags, then says to disconnect, and forgets with time", () => {
    const walker = new Walker();
    walker.walk();
    const outcomes: string[] = [];
    for (let i = 0; i < 9; i++) {
      const verdict = walker.walk(3);
      assert.equal(verdict.fault, "speed");
      assert.ok(verdict.moved && verdict.excess > 0);
      outcomes.push(verdict.outcome);
    }
    assert.deepEqual(outcomes, ["correct", ...Array.from({ length: 7 }, () => "flag"), "disconnect"]);
    assert.equal(walker.validator.counters.speed, 9);
    const before = walker.validator.suspicionAt(walker.tick);
    assert.ok(Math.abs(walker.validator.suspicionAt(walker.tick + 1800) - before / 2) < 1e-9);
    walker.tick += 60 * 300;
    walker.walk(0);
    assert.equal(walker.walk(1.5).outcome, "correct");
  });

  it("flags a teleport and a walk through a wall at once", () => {
    const far = new Walker();
    far.walk();
    assert.deepEqual([far.walk(50).outcome, far.validator.counters.teleport], ["flag", 1]);
    const ghost = new Walker();
    let verdict = ghost.walk(0);
    for (let x = 0.25; x < 6 && verdict.outcome === "accept"; x += 0.25) verdict = ghost.walk(0, { x });
    assert.deepEqual([verdict.fault, verdict.outcome], ["clipping", "flag"]);
    assert.ok(verdict.x < 4.4);
  });

  it("allows a claimed dash once in its cooldown, and what the server grants, for a while", () => {
    const dasher = new Walker();
    for (let i = 0; i < 10; i++) dasher.walk();
    assert.equal(dasher.walk(4, { dashTick: dasher.tick + 1 }).outcome, "accept");
    for (let i = 0; i < 2; i++) assert.equal(dasher.walk(3.5, { dashTick: 31 }).outcome, "accept");
    assert.equal(dasher.walk(1, { dashTick: 31 }).outcome, "accept");
    assert.equal(dasher.walk(4, { dashTick: dasher.tick + 1 }).fault, "speed", "too soon for another");
    const pushed = new Walker();
    pushed.walk();
    pushed.validator.grantKnock(pushed.tick, 10);
    assert.equal(pushed.walk(6).outcome, "accept");
    assert.equal(pushed.walk(6).fault, "speed", "it is used up");
    pushed.validator.grant(pushed.tick, 2, 1);
    for (let i = 0; i < 120; i++) pushed.walk(0.5);
    assert.equal(pushed.walk(4).fault, "speed", "it is too late");
  });

  it("ignores claims of an old place until the client has moved, but not for ever", () => {
    const walker = new Walker();
    for (let i = 0; i < 20; i++) walker.walk();
    const placed = walker.validator.place(walker.tick, -50, 0);
    assert.equal(walker.walk().outcome, "ignore");
    for (let i = 0; i < 70; i++) walker.walk();
    assert.ok(walker.validator.counters.disobeyed > 0);
    walker.placement = placed;
    walker.y = 0;
    assert.equal(walker.walk(1, { x: -50 }).outcome, "accept");
    assert.deepEqual([walker.validator.placement, placed], [2, 2]);
  });

  it("lets a client that was started anew count from the beginning, from where it was", () => {
    const walker = new Walker();
    for (let i = 0; i < 100; i++) walker.walk();
    const { validator, y } = walker;
    const again = (tick: number, serverTick: number, placement = 1) =>
      validator.validate({ tick, placement, x: 0, y }, serverTick);
    assert.ok(!again(3, 310).moved, "an old claim");
    const verdict = again(3, 700);
    assert.deepEqual([verdict.outcome, verdict.moved, verdict.y, verdict.placement], ["ignore", true, y, 2]);
    for (let i = 0; i < 20; i++) assert.equal(again(6 + i * 3, 703 + i * 3, 2).outcome, "accept");
    assert.ok(again(66, 770, 2).suspicion < 1);
  });

  it("notices a clock that is too fast, and claims that were withheld", () => {
    const fast = new Walker();
    for (let i = 0; i < 100; i++) fast.walk();
    let serverTick = fast.tick;
    let first = -1;
    for (let i = 0; i < 60 && first < 0; i++) {
      serverTick += 3 / 1.1;
      fast.tick += 3;
      fast.y += STEP;
      const claim = { tick: fast.tick, placement: fast.placement, x: 0, y: fast.y };
      if (fast.validator.validate(claim, Math.ceil(serverTick)).fault === "pace") first = i;
    }
    assert.ok(first > 0 && first < 20, `after ${first} claims`);
    for (const [ahead, outcome] of [
      [2, "accept"],
      [3, "correct"],
      [4, "flag"],
    ] as const) {
      const lossy = new Walker();
      for (let i = 0; i < 100; i++) lossy.walk();
      const claim = { tick: lossy.tick + 60 + ahead, placement: 1, x: 0, y: lossy.y };
      assert.equal(lossy.validator.validate(claim, lossy.tick + 60).outcome, outcome, `${ahead} ticks ahead`);
    }
    const slow = new Walker();
    for (let i = 0; i < 100; i++) slow.walk();
    const arrivesAt = slow.tick + 72;
    const { fault, outcome } = slow.validator.validate(
      { tick: slow.tick + 3, placement: 1, x: 0, y: slow.y },
      arrivesAt,
    );
    assert.deepEqual([fault, outcome], ["withheld", "accept"]);
  });

  it("believes no numbers that are none, and names a caller's mistake", () => {
    const { validator } = new Walker();
    for (const claim of [
      { tick: Number.NaN, placement: 1, x: 0, y: 0 },
      { tick: 1, placement: 1, x: Infinity, y: 0 },
      { tick: -1, placement: 1, x: 0, y: 0 },
    ])
      assert.equal(validator.validate(claim, 1).fault, "malformed");
    const walker = new Walker();
    walker.walk();
    const claim = { tick: 2 ** 50, placement: 1, x: 0, y: 0 };
    for (let i = 0; i < 3; i++) assert.equal(walker.validator.validate(claim, walker.tick).fault, "pace");
    assert.throws(() => new MovementValidator(rules, statics, { maxGapMs: 0 }), /maxGapMs/);
    assert.throws(() => new MovementValidator(rules, statics, { paceSlackMs: -1 }), /paceSlackMs/);
  });
});
