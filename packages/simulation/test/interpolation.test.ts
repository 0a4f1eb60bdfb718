/** What is drawn of others, in every mode: how near it is to the truth, and that it never leaps. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  defineGame,
  defineInput,
  defineState,
  bool,
  float,
  INTERPOLATION_MODES,
  quaternion,
} from "@riposte/simulation";
import type { InterpolationMode } from "@riposte/simulation";
import { TestNetwork } from "./link.ts";
import type { LinkConditions } from "./link.ts";

const RADIUS = 4;
/** Radians a second. */
const TURN = 2;
const SPEED = RADIUS * TURN;

const coordinate = { min: -50, max: 50, step: 1 / 1024 } as const;
const speed = float({ min: -20, max: 20, step: 1 / 256 });

/** Something that flies round in a circle; the client has nothing to do with it but to draw it. */
const game = defineGame({
  tickRate: 60,
  states: {
    players: defineState({ x: float(coordinate), y: float(coordinate) }),
    flyers: defineState({
      x: float({ ...coordinate, velocity: "vx", teleport: 5 }),
      y: float({ ...coordinate, velocity: "vy" }),
      vx: speed,
      vy: speed,
      turn: quaternion({ bits: 16 }),
    }),
  },
  input: defineInput({ jump: bool() }),
  join(world, client) {
    world.players.spawn(client.id);
    if (world.flyers.count === 0) world.flyers.spawn(-1);
  },
  step(world) {
    if (!world.isServer) return;
    for (const flyer of world.flyers) place(flyer, world.tick);
  },
});

interface Flyer {
  x: number;
  y: number;
  vx: number;
  vy: number;
  turn: { x: number; y: number; z: number; w: number };
}

function place(flyer: Flyer, tick: number): void {
  const turned = (tick / 60) * TURN;
  flyer.x = RADIUS * Math.cos(turned);
  flyer.y = RADIUS * Math.sin(turned);
  flyer.vx = -SPEED * Math.sin(turned);
  flyer.vy = SPEED * Math.cos(turned);
  flyer.turn = { x: 0, y: Math.sin(turned / 2), z: 0, w: Math.cos(turned / 2) };
}

interface Watched {
  /** Frames drawn, and how far the flyer moved in the frame with the largest movement, in metres a second. */
  frames: number;
  fastest: number;
  /** The same, towards or away from the middle of the circle only. */
  fastestInward: number;
  /** Largest angle it turned by in a frame, in radians a second. */
  fastestTurn: number;
  /** Distance to the true curve at the drawn tick: the mean and the largest. */
  error: number;
  largestError: number;
  /** Mean of how far the drawn tick is behind the server's. */
  behindTicks: number;
  /** Share of the frames that were farther than the newest snapshot. */
  late: number;
  jumps: number;
}

/** `modeAt`: the mode of a frame, by its number. */
function watch(
  conditions: LinkConditions,
  modeAt: (frame: number) => InterpolationMode,
  seconds = 10,
  each?: (network: TestNetwork<typeof game>) => void,
  snapshotRate = 30,
): Watched {
  const network = new TestNetwork(defineGame({ ...game, snapshotRate }));
  const player = network.add(conditions, { jump: false }, { interpolationMode: modeAt(0) });
  const { client } = player;
  network.run(6000);
  const seen = {
    frames: 0,
    fastest: 0,
    fastestInward: 0,
    fastestTurn: 0,
    error: 0,
    largestError: 0,
    behindTicks: 0,
    late: 0,
    jumps: 0,
  };
  const before = { frames: client.stats.frames, lateFrames: client.stats.lateFrames, jumps: client.stats.jumps };
  const last = { x: Number.NaN, y: 0, ry: 0, rw: 0, now: 0 };
  player.onFrame = (now): void => {
    const flyer = [...client.view.flyers][0] ?? assert.fail("it is not drawn");
    const elapsed = (now - last.now) / 1000;
    if (!Number.isNaN(last.x)) {
      seen.fastest = Math.max(seen.fastest, Math.hypot(flyer.x - last.x, flyer.y - last.y) / elapsed);
      const inward = Math.abs(Math.hypot(flyer.x, flyer.y) - Math.hypot(last.x, last.y)) / elapsed;
      seen.fastestInward = Math.max(seen.fastestInward, inward);
      const dot = Math.min(1, Math.abs(flyer.turn.y * last.ry + flyer.turn.w * last.rw));
      seen.fastestTurn = Math.max(seen.fastestTurn, (2 * Math.acos(dot)) / elapsed);
    }
    const turned = (client.view.tick / 60) * TURN;
    const error = Math.hypot(flyer.x - RADIUS * Math.cos(turned), flyer.y - RADIUS * Math.sin(turned));
    seen.error += error;
    seen.largestError = Math.max(seen.largestError, error);
    seen.behindTicks += network.match.currentTick - client.view.tick;
    seen.frames++;
    Object.assign(last, { x: flyer.x, y: flyer.y, ry: flyer.turn.y, rw: flyer.turn.w, now });
    client.interpolationMode = modeAt(seen.frames);
    each?.(network);
  };
  network.run(seconds * 1000);
  seen.error /= seen.frames;
  seen.behindTicks /= seen.frames;
  seen.late = (client.stats.lateFrames - before.lateFrames) / (client.stats.frames - before.frames);
  seen.jumps = client.stats.jumps - before.jumps;
  return seen;
}

const fair: LinkConditions = { latencyMs: 80, jitterMs: 15, lossRate: 0.03 };
const bad: LinkConditions = { latencyMs: 150, jitterMs: 60, lossRate: 0.15 };
/** A frame of the test is 16 or 17 ms long by the clock that it is measured with, and time may run 10 % faster. */
const FASTEST = SPEED * 1.1 * (17 / 16);

describe("an entity of others", () => {
  for (const [name, conditions] of [
    ["a fair link", fair],
    ["a bad one", bad],
  ] as const) {
    for (const mode of ["linear", "hermite", "spherical"] as const) {
      it(`moves without a leap over ${name}, in ${mode} mode, with two snapshots in 99 % of the frames`, () => {
        const seen = watch(conditions, () => mode, 15);
        assert.ok(seen.frames > 800);
        assert.ok(seen.fastest < FASTEST * 1.35, `${seen.fastest} m/s of ${SPEED}`);
        assert.ok(seen.fastestTurn < TURN * 1.6, `${seen.fastestTurn} rad/s of ${TURN}`);
        assert.ok(seen.late <= 0.01, `${seen.late * 100} % late`);
        assert.equal(seen.jumps, 0);
      });
    }
  }

  it("is nearer to its curve in hermite mode, and nearer to the present in extrapolation mode", () => {
    const linear = watch(fair, () => "linear");
    const curved = watch(fair, () => "hermite");
    const present = watch(fair, () => "extrapolation");
    assert.ok(curved.error < linear.error / 5, `${curved.error} m instead of ${linear.error}`);
    assert.ok(
      linear.behindTicks - present.behindTicks > 3,
      `${present.behindTicks} of ${linear.behindTicks} ticks behind`,
    );
    // It is as far behind as the way is long.
    assert.ok(present.behindTicks < 40 / (1000 / 60) + 1, `${present.behindTicks}`);
    assert.ok(present.error < 0.1, `at ${present.error} m from where it is`);
    assert.ok(present.fastest < FASTEST * 1.5, `${present.fastest} m/s`);
  });

  it("is drawn as of the newest snapshot in mode none, and as of the one before the view in mode step", () => {
    const none = watch(fair, () => "none");
    assert.ok(none.error < 0.01 && none.largestError < 0.3, "the newest is where it was at its tick");
    assert.equal(none.late, 0);
    const step = watch(fair, () => "step");
    assert.ok(step.fastest > SPEED * 1.8, `it goes in steps: ${step.fastest} m/s`);
    assert.ok(step.late <= 0.01);
  });

  it("slides into what another mode shows, whenever it is changed", () => {
    const smooth = ["linear", "hermite", "extrapolation", "spherical"] as const;
    // So few snapshots that a straight line is 55 mm off the curve: without care a change would be a leap at 3.3 m/s.
    const even = { latencyMs: 80, jitterMs: 5 };
    const seen = watch(even, (frame) => smooth[Math.floor(frame / 23) % 4], 20, undefined, 6);
    assert.ok(seen.fastest < FASTEST + 1, `${seen.fastest} m/s of ${SPEED}`);
    assert.ok(seen.fastestInward < 2.3, `${seen.fastestInward} m/s to the middle`);
    assert.ok(seen.fastestTurn < TURN * 1.7, `${seen.fastestTurn} rad/s of ${TURN}`);
    assert.equal(seen.jumps, 0);
  });

  it("leaves the modes without blending without going back in time, or out of sight", () => {
    let last = -1;
    for (const rough of ["none", "step"] as const) {
      last = -1;
      const seen = watch(
        fair,
        (frame) => (frame % 200 < 50 ? rough : "linear"),
        20,
        (network) => {
          const { view, interpolationMode } = network.players[0].client;
          // Entering "none" is a leap ahead, and nothing else is.
          if (interpolationMode === "linear") assert.ok(view.tick >= last, `back from ${last} to ${view.tick}`);
          last = view.tick;
        },
      );
      assert.equal(seen.jumps, 0);
    }
  });

  it("goes on when updates stop, slows down, waits, and comes back without a leap", () => {
    const network = new TestNetwork(game);
    const player = network.add({ latencyMs: 60 }, { jump: false }, { interpolationMode: "hermite" });
    network.run(3000);
    const moves: number[] = [];
    const last = { x: Number.NaN, y: 0, now: 0 };
    player.onFrame = (now): void => {
      const flyer = [...player.client.view.flyers][0] ?? assert.fail("it is not drawn");
      moves.push((Math.hypot(flyer.x - last.x, flyer.y - last.y) / (now - last.now)) * 1000);
      Object.assign(last, { x: flyer.x, y: flyer.y, now });
    };
    network.run(200);
    player.conditions = { latencyMs: 60, lossRate: 1 };
    network.run(500);
    const stopped = moves.length;
    assert.ok(moves.at(-1)! < 1e-6, "it waits");
    player.conditions = { latencyMs: 60 };
    network.run(1500);
    const [before, after] = [moves.slice(1, stopped), moves.slice(stopped)];
    // Down to nothing in ten frames or more, never by more than a quarter of the speed in one.
    for (let i = 1; i < before.length; i++)
      assert.ok(before[i - 1] - before[i] < SPEED * 0.25, `${before[i - 1]} ${before[i]}`);
    const way = 0.4 * SPEED;
    assert.ok(Math.max(...after) < SPEED + (way * Math.LN2) / 0.06, `${Math.max(...after)} m/s`);
    assert.ok(after.filter((move) => move > SPEED * 2).length > 3, "the way it has to catch up takes several frames");
    assert.ok(Math.abs(after.at(-1)! - SPEED) < SPEED * 0.15);
  });

  it("is where a teleport takes it at once, also after it was carried on", () => {
    let away = 0;
    const jumping = defineGame({
      ...game,
      step(world) {
        if (!world.isServer) return;
        for (const flyer of world.flyers) {
          place(flyer, world.tick);
          flyer.x += away;
        }
      },
    });
    const network = new TestNetwork(jumping);
    const player = network.add({ latencyMs: 60 }, { jump: false }, { interpolationMode: "extrapolation" });
    network.run(3000);
    const places = new Set<string>();
    player.onFrame = (): void => {
      const flyer = [...player.client.view.flyers][0] ?? assert.fail("it is not drawn");
      const here = Math.hypot(flyer.x, flyer.y);
      const there = Math.hypot(flyer.x - 30, flyer.y);
      places.add(here < RADIUS * 1.3 ? "here" : there < RADIUS * 1.3 ? "there" : `between: ${flyer.x}`);
    };
    network.run(300);
    away = 30;
    network.run(500);
    assert.deepEqual([...places], ["here", "there"]);
  });

  it("cannot be drawn in a mode that does not exist", () => {
    const network = new TestNetwork(game);
    const { client } = network.add(fair, { jump: false });
    assert.equal(client.interpolationMode, "linear");
    for (const mode of INTERPOLATION_MODES) {
      client.interpolationMode = mode;
      assert.equal(client.interpolationMode, mode);
    }
    const wrong = "cubic" as InterpolationMode;
    assert.throws(() => network.add(fair, { jump: false }, { interpolationMode: wrong }), RangeError);
    assert.throws(() => (client.interpolationMode = wrong), RangeError);
  });
});
