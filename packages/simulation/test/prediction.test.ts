import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { game } from "./first-game.ts";
import { TestNetwork } from "./link.ts";

const still = { up: false, down: false, left: false, right: false, fire: false, aim: 0 };
const right = { ...still, right: true };

describe("prediction of the own player", () => {
  for (const fps of [50, 60, 144]) {
    it(`shows the player's movement in the frame of the first tick with the key, at ${fps} frames a second`, () => {
      const network = new TestNetwork(game);
      const player = network.add({ latencyMs: 150 }, still);
      player.frameMs = 1000 / fps;
      network.run(1500);
      const mine = player.client.view.players.mine;
      assert.ok(mine !== undefined);
      const before = mine.x;
      let tick = player.client.predictedTick;
      player.input = right;
      let frames = 0;
      let shown = -1;
      let ticked = -1;
      player.onFrame = (): void => {
        frames++;
        if (ticked < 0 && player.client.predictedTick > tick) ticked = frames;
        if (shown < 0 && mine.x > before) shown = frames;
        tick = Math.max(tick, player.client.predictedTick);
      };
      network.run(60);
      assert.ok(ticked > 0 && ticked <= (fps > 60 ? 3 : 2));
      assert.equal(shown, ticked);
      if (fps < 60) assert.equal(shown, 1);
    });
  }

  it("mispredicts next to nothing for a lone mover at 150 ms, 20 ms of jitter and 3 % loss", () => {
    const network = new TestNetwork(game);
    const player = network.add({ latencyMs: 150, jitterMs: 20, lossRate: 0.03 }, still);
    network.run(2000);
    const before = player.client.stats.mispredictions;
    const turns = [right, { ...still, down: true }, { ...still, left: true }, { ...still, up: true }, still];
    for (let i = 0; i < 60; i++) {
      player.input = turns[i % turns.length];
      network.run(170 + ((i * 37) % 90));
    }
    player.input = still;
    network.run(1000);
    const { stats } = player.client;
    assert.ok(stats.mispredictions - before <= 1, `mispredictions: ${stats.mispredictions - before}`);
    const there = network.match.world.players.firstOwnedBy(player.seat);
    const here = player.client.world.players.firstOwnedBy(player.seat);
    assert.equal(here?.x, there?.x);
    assert.equal(here?.y, there?.y);
    const drawn = player.client.view.players.mine;
    assert.ok(Math.abs((drawn?.x ?? Infinity) - (there?.x ?? 0)) < 1e-4);
    assert.equal(stats.jumps, 0);
  });

  it("says what was wrong, and by how far", () => {
    const network = new TestNetwork(game);
    const player = network.add({ latencyMs: 80 }, still);
    network.run(1500);
    const row = network.match.world.players.firstOwnedBy(player.seat) ?? assert.fail();
    row.x += 3;
    row.y -= 4;
    network.run(500);
    const { last } = player.client.stats.prediction;
    assert.equal(player.client.stats.mispredictions, 1);
    assert.deepEqual({ ...last, tick: 0 }, { tick: 0, table: "players", field: "x", entity: row.id, distance: 5 });
    assert.equal(player.client.view.players.mine?.x, row.x);
  });
});
