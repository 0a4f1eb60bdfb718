import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { determinismGame } from "../../test/determinism-game.ts";
import { defineGame } from "../game/index.ts";
import type { WorldOf } from "../game/index.ts";
import { bool, defineInput, defineState, float, uint } from "../state/index.ts";
import { checkDeterminism } from "./check-determinism.ts";
import type { DeterminismReport } from "./check-determinism.ts";

const Dot = defineState(
  { x: float({ min: -100, max: 100, step: 1 / 256 }), score: uint({ max: 1000 }) },
  { capacity: 8 },
);
const Pad = defineInput({ right: bool() });

type Dots = ReturnType<typeof dots>;
type Step = (world: WorldOf<Dots>) => void;

/** Dots that walk, and something wrong. */
function dots(wrong?: Step) {
  return defineGame({
    tickRate: 60,
    states: { dots: Dot, marks: Dot },
    input: Pad,
    join(world, client) {
      world.dots.spawn(client.id);
    },
    step(world, inputs) {
      for (const dot of world.dots) dot.x += inputs.of(dot).right ? 0.25 : -0.125;
      wrong?.(world);
    },
  });
}

const SHORT = { ticks: 60, players: 3 };
const runsOf = (report: DeterminismReport): string[] => report.divergences.map(({ run }) => run);

const checksumOf = (seed: number): number =>
  checkDeterminism(determinismGame, { ticks: 60, seed }).checkpoints[0].checksum;

describe("checkDeterminism", () => {
  it("finds nothing in a game that is deterministic", () => {
    const report = checkDeterminism(determinismGame, { ticks: 300 });
    assert.deepEqual(report.problems, []);
    assert.equal(report.ok, true);
    assert.deepEqual(
      report.checkpoints.map(({ tick }) => tick),
      [60, 120, 180, 240, 300],
    );
    assert.equal(new Set(report.checkpoints.map(({ checksum }) => checksum)).size, 5);
  });

  it("gives other checkpoints for other seeds and inputs, the same for the same", () => {
    assert.equal(checksumOf(3), checksumOf(3));
    assert.notEqual(checksumOf(3), checksumOf(4));
  });

  it("names tick, table, entity, field and both values of what a module remembers", () => {
    let steps = 0;
    const report = checkDeterminism(
      dots((world) => {
        if (world.tick === 7) world.dots.rowAt(1).score = ++steps;
      }),
      SHORT,
    );
    const again = report.divergences.find(({ run }) => run === "again");
    assert.deepEqual(again, {
      run: "again",
      tick: 7,
      table: "dots",
      entity: 1,
      owner: 1,
      field: "score",
      expected: 1,
      actual: 2,
    });
    assert.ok(
      report.problems[0].startsWith('run "again", tick 7: dots, entity 1 (of seat 1): score is 2, in the first run 1'),
    );
  });

  it("finds Math.random by its call and by what comes of it, and puts it back", (test) => {
    // No two of its numbers in this test are alike, so that every run differs at once.
    let drawn = 0;
    test.mock.method(Math, "random", () => ++drawn / 1024);
    const { random } = Math;
    const report = checkDeterminism(
      dots((world) => {
        if (world.tick >= 10) world.dots.rowAt(0).x = Math.random() * 64;
      }),
      SHORT,
    );
    assert.equal(Math.random, random);
    assert.ok(runsOf(report).includes("again"));
    assert.equal(report.divergences[0].tick, 10);
    assert.deepEqual(report.engineCalls, [{ name: "Math.random", reason: "random", tick: 10, calls: 51 }]);
    assert.equal(report.ok, false);
  });

  it("finds clocks, though they may stand still from run to run", () => {
    const seen = new Date(0);
    const { engineCalls } = checkDeterminism(
      dots(() => {
        // What is taken from the clock is used or not: calling it is enough.
        void [Date.now(), new Date(), new Date(5), performance.now()];
      }),
      SHORT,
    );
    assert.deepEqual(
      engineCalls.map(({ name, calls }) => [name, calls]),
      [
        ["Date.now", 60],
        ["Date", 60],
        ["performance.now", 60],
      ],
    );
    assert.ok(new Date(0) instanceof Date && seen instanceof Date);
  });

  it("finds functions whose last bits are the engine's, unless they are allowed", () => {
    const wavy = dots((world) => {
      world.dots.rowAt(0).x = Math.sin(world.tick) + Math.hypot(1, world.tick) + Math.sqrt(2) + Math.abs(-1);
    });
    const report = checkDeterminism(wavy, SHORT);
    assert.deepEqual(
      report.engineCalls.map(({ name, reason, tick }) => [name, reason, tick]),
      [
        ["Math.sin", "engine", 1],
        ["Math.hypot", "engine", 1],
      ],
    );
    assert.match(report.problems[0], /Math\.sin was called 60 times, first in tick 1: .*@riposte\/simulation\/math/);
    assert.deepEqual(report.divergences, []);
    assert.equal(checkDeterminism(wavy, { ...SHORT, allow: ["Math.sin", "Math.hypot"] }).ok, true);
  });

  it("finds rows that are read after they are gone", () => {
    const report = checkDeterminism(
      dots((world) => {
        if (world.tick === 5) world.dots.rowAt(0).score = world.marks.rowAt(2).score % 7;
        if (world.tick === 6) world.dots.rowAt(0).x = world.marks.rowAt(3).x;
      }),
      SHORT,
    );
    assert.deepEqual(runsOf(report), ["used world"]);
    assert.equal(report.divergences[0].table, "dots");
    assert.equal(report.divergences[0].expected, 0);
  });

  it("finds state that is kept outside of the tables, where running the game again does not", () => {
    const counts = new WeakMap<object, number>();
    const report = checkDeterminism(
      dots((world) => {
        const count = (counts.get(world) ?? 0) + 1;
        counts.set(world, count);
        if (count === 20) world.dots.rowAt(2).score = 9;
      }),
      SHORT,
    );
    assert.deepEqual(runsOf(report), ["rollback"]);
    const { tick, entity, field, expected, actual } = report.divergences[0];
    // The twentieth step was one of a wrong future, and undone.
    assert.deepEqual([tick, entity, field, expected, actual], [20, 2, "score", 9, 0]);
  });

  it("finds a step that does something else in a replay", () => {
    const report = checkDeterminism(
      dots((world) => {
        if (world.tick === 30 && !world.isReplay) world.marks.spawn(0, { score: 1 });
      }),
      SHORT,
    );
    assert.deepEqual(runsOf(report), ["rollback"]);
    assert.deepEqual(report.divergences[0], {
      run: "rollback",
      tick: 30,
      table: "marks",
      entity: 0,
      owner: 0,
      field: "(exists)",
      expected: true,
      actual: false,
    });
    assert.match(report.problems[0], /marks, entity 0 \(of seat 0\) is gone, though in the first run/);
  });

  it("finds what depends on the order of rows, where a game promises that nothing does", () => {
    const first = dots((world) => {
      // Whoever comes first gets it.
      if (world.tick % 10 === 0) for (const dot of world.dots) if (dot.x > -50) return void dot.score++;
    });
    assert.deepEqual(checkDeterminism(first, SHORT).problems, []);
    assert.deepEqual(runsOf(checkDeterminism(first, { ...SHORT, orderIndependent: true })), ["join order"]);
    assert.deepEqual(checkDeterminism(dots(), { ...SHORT, orderIndependent: true }).problems, []);
  });

  it("takes inputs of the caller's own", () => {
    const report = checkDeterminism(dots(), {
      ...SHORT,
      checkpointTicks: 20,
      inputs: (player, tick) => ({ right: player === 1 && tick > 20 }),
    });
    assert.deepEqual(report.problems, []);
    assert.deepEqual(
      report.checkpoints.map(({ tick }) => tick),
      [20, 40, 60],
    );
  });

  it("refuses options out of range by name", () => {
    assert.throws(() => checkDeterminism(dots(), { ticks: 0 }), /ticks must be an integer from 1 to 100000, got 0/);
    assert.throws(() => checkDeterminism(dots(), { players: 65 }), RangeError);
  });
});
