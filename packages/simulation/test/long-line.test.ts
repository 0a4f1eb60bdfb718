/** Very long lines: with `extrapolateAboveMs` others are drawn without delay. */
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
