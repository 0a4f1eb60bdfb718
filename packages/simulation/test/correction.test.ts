/** What a correction looks like on the screen, and what it counts as. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bool, defineGame, defineInput, defineState, float, uint } from "@riposte/simulation";
import type { GameClientOptions } from "@riposte/simulation";
import { TestNetwork } from "./link.ts";

const coordinate = float({ min: -500, max: 500, step: 1 / 512 });
const still = { right: false };

/** Ticks that a client has simulated again. */
const replayed: number[] = [];

function pushGame(teleport?: number, snapDistance?: number) {
  const place = float({ min: -500, max: 500, step: 1 / 512, ...(teleport === undefined ? {} : { teleport }) });
  return defineGame({
    tickRate: 60,
    states: { players: defineState({ x: place, y: coordinate, health: uint({ max: 100, predicted: false }) }) },
    input: defineInput({ right: bool() }),
    ...(snapDistance === undefined ? {} : { snapDistance }),
    join(world, client) {
      world.players.spawn(client.id, { health: 100 });
    },
    step(world, inputs) {
      if (world.isReplay) replayed.push(world.tick);
      assert.ok(!(world.isServer && world.isReplay), "a server never simulates a tick again");
      for (const player of world.players) player.x += Number(inputs.of(player).right) * 6 * world.dt;
    },
  });
}

/** One player at 100 ms; `push` moves it on the server, and gives where it is drawn in the frames from then on. */
function scene(game = pushGame(), options: GameClientOptions = {}) {
  const network = new TestNetwork(game);
  const player = network.add({ latencyMs: 100 }, still, options);
  network.run(1500);
  const row = network.match.world.players.firstOwnedBy(player.seat) ?? assert.fail();
  const push = (distance: number, runMs = 600): number[] => {
    const frames: number[] = [];
    player.onFrame = () => frames.push(player.client.view.players.mine?.x ?? Number.NaN);
    row.x += distance;
    network.run(runMs);
    player.onFrame = undefined;
    return frames;
  };
  return { network, player, row, push };
}

describe("a correction", () => {
  it("fades from the picture by halves, while the simulation is right at once", () => {
    const { player, row, push } = scene(pushGame(), { smoothingHalfLifeMs: 50 });
    const frames = push(2, 400);
    assert.equal(player.client.world.players.firstOwnedBy(player.seat)?.x, row.x);
    const first = frames.findIndex((x) => x > 0);
    assert.ok(first > 0);
    assert.ok(frames[first] < 0.6, `drawn at ${frames[first]} of 2 m in the first frame`);
    for (let i = first + 1; i < frames.length; i++)
      assert.ok(frames[i] >= frames[i - 1] - 1e-9, "it comes nearer in every frame");
    // What is left of the way, over three frames, which are 50 ms.
    const left = (2 - frames[first + 5]) / (2 - frames[first + 2]);
    assert.ok(left > 0.44 && left < 0.56, `${left} of it is left after 50 ms`);
    assert.ok(2 - (frames.at(-1) ?? 0) < 0.2);
  });

  it("is drawn at once when it is farther than the game's snapDistance", () => {
    assert.deepEqual([...new Set(scene().push(5))], [0, 5]);
    const { push } = scene(pushGame(undefined, 1.5));
    assert.deepEqual([...new Set(push(2))], [0, 2]);
    assert.ok(new Set(push(1)).size > 4, "a smaller one fades");
    assert.throws(() => pushGame(undefined, -1), RangeError);
  });

  it("is drawn at once by a client that wants no smoothing", () => {
    const { push } = scene(pushGame(), { smoothingHalfLifeMs: 0 });
    assert.deepEqual([...new Set(push(1))], [0, 1]);
    assert.throws(() => scene(pushGame(), { smoothingHalfLifeMs: -1 }), RangeError);
  });

  it("is drawn at once when it exceeds a field's teleport", () => {
    const { player, push } = scene(pushGame(1.5));
    assert.deepEqual([...new Set(push(2))], [0, 2]);
    const { mispredictions, predictionError } = player.client.stats;
    assert.deepEqual(
      [mispredictions, predictionError],
      [1, 0],
      "a jump that the game declares is no error of so many metres",
    );
    assert.ok(new Set(push(1)).size > 4, "a smaller one fades");
  });

  it("counts as a misprediction, by its distance, and what the server alone decides does not", () => {
    const { network, player, row, push } = scene();
    const { stats } = player.client;
    assert.equal(stats.prediction.corrections, 0);
    row.health = 50;
    network.run(600);
    assert.equal(player.client.view.players.mine?.health, 50);
    assert.deepEqual([stats.prediction.corrections, stats.mispredictions, stats.predictionError], [1, 0, 0]);
    push(2);
    assert.deepEqual([stats.prediction.corrections, stats.mispredictions, stats.predictionError], [2, 1, 2]);
    const mean = stats.meanPredictionError;
    // Under fire: the last error of the prediction stays what it was.
    for (let hit = 0; hit < 5; hit++) {
      row.health -= 5;
      network.run(200);
    }
    assert.equal(stats.prediction.corrections, 7);
    assert.deepEqual([stats.mispredictions, stats.predictionError, stats.meanPredictionError], [1, 2, mean]);
  });

  it("tells the step which ticks it simulates again", () => {
    const { network, player, push } = scene();
    replayed.length = 0;
    network.run(500);
    assert.deepEqual(replayed, []);
    const { prediction } = player.client.stats;
    const before = prediction.replayedTicks;
    push(1);
    assert.equal(replayed.length, prediction.replayedTicks - before);
    assert.ok(replayed.length >= 6, "a round trip and what is in stock");
    for (let i = 1; i < replayed.length; i++) assert.equal(replayed[i], replayed[i - 1] + 1);
  });
});
