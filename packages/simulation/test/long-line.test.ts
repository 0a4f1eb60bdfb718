/** Very long lines: with `extrapolateAboveMs` others are drawn without delay, and with `extrapolateByMs` ahead of the news. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { TestNetwork } from "./link.ts";
import { game, still } from "./shooting-game.ts";

it("draws others where the newest news has them for a player far away, and before that when the line is short", () => {
  const network = new TestNetwork(game);
  const player = network.add({ latencyMs: 400 }, still, { extrapolateAboveMs: 250 });
  const near = network.add({ latencyMs: 60 }, still, { extrapolateAboveMs: 250 });
  network.run(6000);
  const { client } = player;
  assert.equal(client.interpolationMode, "extrapolation");
  const behind = (): number => network.match.currentTick - client.view.tick;
  assert.ok(behind() <= 13, `drawn ${behind()} ticks behind the server, of which the line is 12`);
  assert.equal(near.client.interpolationMode, "linear");
  player.conditions = { latencyMs: 60 };
  client.updateLink(60, 0);
  network.run(6000);
  assert.equal(client.interpolationMode, "linear");
  assert.ok(behind() > 3, `drawn ${behind()} ticks behind the server, of which the line is 2`);
  client.interpolationMode = "hermite";
  network.run(100);
  assert.equal(client.interpolationMode, "hermite", "what is asked for is what there is");
});

it("draws others ahead of the news for a player far away, and goes there and back without a leap", () => {
  const network = new TestNetwork(game);
  const player = network.add({ latencyMs: 400 }, still, { extrapolateAboveMs: 250, extrapolateByMs: 150 });
  const { client } = player;
  let farthest = 0;
  let before = -1;
  player.onFrame = (): void => {
    if (before >= 0) farthest = Math.max(farthest, Math.abs(client.view.tick - before - 1));
    before = client.view.tick;
  };
  network.run(3000);
  const behind = (): number => network.match.currentTick - client.view.tick;
  const isAhead = (): boolean => client.interpolationMode === "ahead";
  assert.equal(isAhead(), true);
  network.run(6000);
  assert.ok(behind() <= 13 - 9, `drawn ${behind()} ticks behind the server: 9 are less than the line's 12`);
  player.conditions = { latencyMs: 180 };
  client.updateLink(180, 0);
  network.run(8000);
  assert.equal(isAhead(), false);
  assert.ok(behind() > 6, `drawn ${behind()} ticks behind the server, of which the line is 5`);
  assert.ok(farthest < 0.2, `${farthest} ticks more or less than a frame`);
  assert.equal(client.stats.jumps, 0);
});

it("refuses to draw farther ahead than others go on for", () => {
  for (const extrapolateByMs of [-1, 201, Number.NaN])
    assert.throws(() => new TestNetwork(game).add({ latencyMs: 1 }, still, { extrapolateByMs }), RangeError);
});
