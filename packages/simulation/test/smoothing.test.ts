/** What a correction looks like in depth and in turning, how much of it a player sees, and what it all may cost. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { angle, bool, defineGame, defineInput, defineState, float, quaternion, vec3 } from "@riposte/simulation";
import type { GameClientOptions } from "@riposte/simulation";
import { TestNetwork } from "./link.ts";

const step = 1 / 512;

const game = defineGame({
  tickRate: 60,
  states: {
    ships: defineState({
      position: vec3(float({ min: -500, max: 500, step })),
      heading: angle({ bits: 16 }),
      attitude: quaternion({ bits: 14 }),
    }),
  },
  input: defineInput({ thrust: bool(), move: float({ min: -1, max: 1, step: 1 / 64 }) }),
  join(world, client) {
    world.ships.spawn(client.id);
  },
  step(world, inputs) {
    for (const ship of world.ships) ship.position.x += inputs.of(ship).move * 6 * world.dt;
  },
});

const still = { thrust: false, move: 0 };

function scene(options: GameClientOptions = {}, latencyMs = 100) {
  const network = new TestNetwork(game);
  const player = network.add({ latencyMs }, still, options);
  network.run(1500);
  const row = network.match.world.ships.firstOwnedBy(player.seat) ?? assert.fail();
  /** Lets the server change the ship, and films what `look` sees of it. */
  const film = (change: () => void, look: (ship: NonNullable<typeof player.client.view.ships.mine>) => number) => {
    const frames: number[] = [];
    player.onFrame = () => frames.push(look(player.client.view.ships.mine ?? assert.fail()));
    change();
    network.run(500);
    player.onFrame = undefined;
    return frames.filter((value, i) => i === 0 || value !== frames[i - 1]);
  };
  return { network, player, row, film };
}

/** How far a rotation about z is turned. */
const turn = ({ z, w }: { z: number; w: number }): number => 2 * Math.atan2(z, w);

/** The largest change from one frame to the next. */
const jump = (frames: readonly number[]): number =>
  Math.max(...frames.slice(1).map((value, i) => Math.abs(value - frames[i])));

describe("a correction fades", () => {
  it("and is forgotten when the session ends: whoever comes back is drawn where it is", () => {
    const { network, player, row } = scene();
    row.position.x = row.position.z = 1;
    row.heading = 1;
    while ((player.client.view.ships.mine ?? assert.fail()).position.z === 0) network.run(1);
    network.disconnect(player);
    network.run(1000);
    network.connect(player);
    while (!player.client.ready) network.run(1);
    const ship = player.client.view.ships.mine ?? assert.fail();
    assert.deepEqual([ship.position.x, ship.position.z], [1, 1]);
    assert.ok(Math.abs(ship.heading - 1) < 1e-4, `${ship.heading}`);
  });

  it("in depth as on the ground", () => {
    const { film, row, player } = scene();
    const frames = film(
      () => (row.position.z = 2),
      (ship) => ship.position.z,
    );
    assert.ok(frames.length > 10 && frames[1] < 0.6 && Math.abs((frames.at(-1) ?? 0) - 2) < 0.02);
    assert.deepEqual([player.client.stats.predictionError], [2]);
  });

  it("of an angle along the shorter arc, and at once beyond the snap angle", () => {
    const { film, row } = scene();
    film(
      () => (row.heading = 0.3),
      (ship) => ship.heading,
    );
    // Over zero, not all the way round.
    const back = film(
      () => (row.heading = 6),
      (ship) => ship.heading,
    );
    assert.ok(back.length > 10);
    assert.ok(
      back.every((heading) => heading < 0.31 || heading > 5.99),
      back.join(),
    );
    const far = film(
      () => (row.heading = 3),
      (ship) => ship.heading,
    );
    assert.ok(jump(far) > 2.9);
    assert.ok(jump(back) < 0.2 || jump(back) > 5.5, "nothing but the turn over zero");
  });

  it("of a rotation along the shorter arc, and stays a rotation", () => {
    const { film, row, player } = scene();
    const set = (half: number) => () => {
      row.attitude.z = Math.sin(half);
      row.attitude.w = Math.cos(half);
    };
    const frames = film(set(0.5), (ship) => turn(ship.attitude));
    assert.ok(frames.length > 10 && frames[1] < 0.3 && Math.abs((frames.at(-1) ?? 0) - 1) < 0.02, frames.join());
    const { x, y, z, w } = player.client.view.ships.mine?.attitude ?? assert.fail();
    assert.ok(Math.abs(Math.hypot(x, y, z, w) - 1) < 1e-6);
    assert.ok(jump(frames) < 0.2);
    const far = film(set(1.4), (ship) => turn(ship.attitude));
    assert.ok(jump(far) > 1.7, "more than a right angle is shown at once");
  });
});

describe("the visible correction", () => {
  it("is how far the picture moved beyond the movement, as a distribution over frames", () => {
    const { film, row, player, network } = scene();
    const { visibleCorrection } = player.client.stats;
    player.input = { ...still, move: 1 };
    network.run(500);
    assert.ok(visibleCorrection.frames > 60);
    assert.equal(visibleCorrection.max, 0, "its own movement is none");
    visibleCorrection.reset();
    film(
      () => (row.position.y += 1),
      () => 0,
    );
    // Half in 60 ms: 17.5 % in a frame of 16.7 ms.
    assert.ok(Math.abs(visibleCorrection.max - 0.175) < 0.02, `${visibleCorrection.max}`);
    assert.equal(visibleCorrection.quantile(0.1), 0);
    assert.ok(visibleCorrection.quantile(0.99) > 0.1 && visibleCorrection.quantile(0.99) <= visibleCorrection.max);
    const snapped = scene({ smoothingHalfLifeMs: 0 });
    snapped.film(
      () => (snapped.row.position.y += 1),
      () => 0,
    );
    assert.equal(snapped.player.client.stats.visibleCorrection.max, 1);
    const far = scene();
    far.film(
      () => (far.row.position.y += 5),
      () => 0,
    );
    assert.equal(far.player.client.stats.visibleCorrection.max, 5);
  });
});

/** A player whom the server pushes now and then. */
function measureReplays(inputDelayTicks: number) {
  const { network, player, row } = scene({ inputDelayTicks }, 250);
  for (let i = 0; i < 20; i++) {
    row.position.y += 0.1;
    player.input = { ...still, move: (i % 3) - 1 };
    network.run(100);
  }
  player.input = still;
  network.run(1000);
  const { mispredictions, replayedTicks } = player.client.stats.prediction;
  assert.equal(player.client.world.ships.firstOwnedBy(player.seat)?.position.x, row.position.x);
  assert.equal(player.client.stats.inputDelayTicks, inputDelayTicks);
  return { mispredictions, replayed: replayedTicks / mispredictions };
}

/** After how long a key shows, and how much of that is delay. */
function answer(inputDelayTicks: number, latencyMs: number): [shownMs: number, delayTicks: number] {
  const { network, player } = scene({ inputDelayTicks }, latencyMs);
  player.input = { ...still, move: 1 };
  const before = network.now;
  let shown = 0;
  player.onFrame = (now): void => {
    if (shown === 0 && (player.client.view.ships.mine?.position.x ?? 0) > 0) shown = now;
  };
  network.run(600);
  assert.equal(player.client.stats.mispredictions, 0);
  return [shown - before, player.client.stats.inputDelayTicks];
}

describe("input delay", () => {
  it("predicts less, and replays less", () => {
    const [at0, at6] = [measureReplays(0), measureReplays(6)];
    assert.ok(at6.replayed < at0.replayed - 5, `${at6.replayed} ticks instead of ${at0.replayed}`);
  });

  it("lets inputs act later, and not later than the server's word on a short link", () => {
    const [at0, none] = answer(0, 250);
    const [at6] = answer(6, 250);
    const [short, left] = answer(10, 0);
    assert.equal(none, 0);
    assert.ok(Math.abs(at6 - at0 - 100) < 20, `${at6 - at0} ms for 6 ticks`);
    assert.ok(left < 10 && short < 130, `${left} ticks, ${short} ms`);
    assert.throws(() => scene({ inputDelayTicks: 11 }), RangeError);
  });
});

describe("the memory of prediction", () => {
  it("has a limit; beyond it everything still works, without comparison", () => {
    const crowd = defineGame({
      ...game,
      join(world, client) {
        for (let i = 0; i < 40; i++) world.ships.spawn(client.id);
      },
      step(world, inputs) {
        for (const ship of world.ships) ship.position.x += inputs.of(ship).move * 6 * world.dt;
      },
    });
    const run = (historyBytes?: number) => {
      const network = new TestNetwork(crowd, { snapshotBudgetBytes: 1200 });
      const player = network.add({ latencyMs: 100 }, still, historyBytes === undefined ? {} : { historyBytes });
      network.run(1500);
      player.input = { ...still, move: 1 };
      network.run(500);
      player.input = still;
      network.run(800);
      const there = [...network.match.world.ships.all()].map((ship) => ship.position.x);
      assert.deepEqual(
        [...player.client.view.ships].map((ship) => ship.position.x),
        there,
      );
      return player.client.stats.prediction;
    };
    const roomy = run();
    assert.equal(roomy.historyRefused, 0);
    assert.equal(roomy.historyLimitBytes, 4 * 1024 * 1024);
    const tight = run(40_000);
    assert.ok(tight.historyBytes <= 40_000 && tight.historyRefused > 0 && roomy.historyBytes > 40_000);
    assert.ok(tight.corrections > roomy.corrections + 10);
    assert.equal(tight.mispredictions, 0);
    assert.throws(() => run(0), RangeError);
    assert.throws(() => run(100), RangeError);
  });
});
