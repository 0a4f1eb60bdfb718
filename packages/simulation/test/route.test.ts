/** The route to the server changes, or the network stalls, while players play. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { game, still } from "./shooting-game.ts";
import { TestNetwork } from "./link.ts";
import type { Player } from "./link.ts";

/** Watches one player's clocks and what it draws of another who runs at 6 m/s. */
function watch(player: Player<typeof game>, mover: Player<typeof game>) {
  const seen = { fastest: 0, back: 0, offRate: 0 };
  const last = { x: Number.NaN, view: -1, predicted: -1, now: 0 };
  player.onFrame = (now): void => {
    const { client } = player;
    const row = [...client.view.players].find(({ owner }) => owner === mover.seat) ?? assert.fail("it is not drawn");
    if (last.view >= 0) {
      seen.fastest = Math.max(seen.fastest, (Math.abs(row.x - last.x) / (now - last.now)) * 1000);
      if (client.view.tick < last.view || client.view.predictedTick < last.predicted) seen.back++;
      seen.offRate = Math.max(seen.offRate, Math.abs(client.stats.inputRate - 1), Math.abs(client.stats.viewRate - 1));
    }
    Object.assign(last, { x: row.x, view: client.view.tick, predicted: client.view.predictedTick, now });
  };
  return seen;
}

describe("a route that changes", () => {
  for (const [from, to] of [
    [30, 200],
    [200, 30],
    [20, 400],
    [400, 20],
  ]) {
    it(`from ${from} to ${to} ms is followed by both clocks, within 10 % and without a jump`, () => {
      const network = new TestNetwork(game);
      const player = network.add({ latencyMs: from, jitterMs: 4 }, still);
      const mover = network.add({ latencyMs: 20 }, still);
      let right = true;
      network.onTick = (tick): void => {
        if (tick % 300 === 0) right = !right;
        mover.input = { ...still, moveX: right ? 1 : -1 };
      };
      network.run(5000);
      const seen = watch(player, mover);
      network.run(1000);
      player.conditions = { latencyMs: to, jitterMs: 4 };
      // A round trip until it is known at all, a second until it is believed that it got better, and two to work it off.
      network.run(Math.max(from, to) + 3000);
      const missed = network.match.seat(player.seat)?.stats.missedInputs ?? 0;
      const late = player.client.stats.lateFrames;
      network.run(4000);
      const { stats } = player.client;
      assert.equal(stats.jumps, 0);
      assert.equal(seen.back, 0, "time never goes back");
      assert.ok(seen.offRate <= 0.1 + 1e-9, `a rate off by ${seen.offRate}`);
      assert.ok(seen.fastest < 6 * 2.5, `drawn at ${seen.fastest} m/s`);
      assert.ok((network.match.seat(player.seat)?.stats.missedInputs ?? 0) - missed <= 2, "inputs are in time again");
      assert.ok(stats.lateFrames - late <= 3, "there are two snapshots again");
      assert.ok(stats.inputBufferDepth <= 5, `${stats.inputBufferDepth} inputs in stock`);
      assert.ok(stats.interpolationDelayMs < 70, `${stats.interpolationDelayMs} ms behind`);
    });
  }
});
