import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { game, still, verdicts } from "./shooting-game.ts";
import { TestNetwork } from "./link.ts";
import type { LinkConditions } from "./link.ts";

/** A shooter aims exactly at what is drawn of a target that strafes; returns how many of its shots hit. */
function shoot(conditions: LinkConditions, shots: number): { fired: number; hit: number } {
  const network = new TestNetwork(game);
  const shooter = network.add(conditions, still);
  const target = network.add({ latencyMs: 60, jitterMs: 10 }, still);
  network.run(2500);
  verdicts.length = 0;
  let frame = 0;
  target.onFrame = (): void => {
    // Strafes at full speed, turning at odd times.
    const turn = Math.floor(frame++ / 37) % 2 === 0 ? 1 : -1;
    target.input = { ...still, moveY: turn };
  };
  network.run(500);
  let wait = 0;
  shooter.onFrame = (): void => {
    const { view, world } = shooter.client;
    const me = world.players.firstOwnedBy(shooter.seat);
    const seen = [...view.players].find((row) => row.owner === target.seat);
    if (me === undefined || seen === undefined) return;
    const aim = Math.atan2(seen.y - me.y, seen.x - me.x);
    const fire = wait++ % 12 === 0 && shots-- > 0;
    shooter.input = { ...still, aim, fire };
  };
  network.run(shots * 12 * 17 + 1500);
  const mine = verdicts.filter((verdict) => verdict.shooter === shooter.seat);
  return { fired: mine.length, hit: mine.filter((verdict) => verdict.hit === target.seat).length };
}

describe("a shooter who aims at what is drawn", () => {
  for (const latencyMs of [20, 150, 300]) {
    it(`hits at ${latencyMs} ms`, () => {
      const { fired, hit } = shoot({ latencyMs, jitterMs: 20, lossRate: 0.03 }, 60);
      assert.ok(fired >= 55, `fired ${fired}`);
      assert.equal(hit, fired);
    });
  }

  it("misses when the shot is judged at the present: the test can fail", () => {
    const network = new TestNetwork(game, { maxRewindMs: 0 });
    const shooter = network.add({ latencyMs: 300 }, still);
    const target = network.add({ latencyMs: 20 }, { ...still, moveY: 1 });
    network.run(3000);
    verdicts.length = 0;
    const me = shooter.client.world.players.firstOwnedBy(shooter.seat);
    const seen = [...shooter.client.view.players].find((row) => row.owner === target.seat);
    assert.ok(me !== undefined && seen !== undefined);
    shooter.input = { ...still, aim: Math.atan2(seen.y - me.y, seen.x - me.x), fire: true };
    network.run(34);
    shooter.input = still;
    network.run(600);
    assert.ok(verdicts.length > 0);
    assert.equal(verdicts[0].hit, -1);
  });

  it("cannot shoot through a wall", () => {
    const network = new TestNetwork(game);
    const shooter = network.add({ latencyMs: 40 }, still);
    const target = network.add({ latencyMs: 40 }, still);
    network.run(1000);
    const there = network.match.world.players.firstOwnedBy(target.seat);
    assert.ok(there !== undefined);
    there.x = 0;
    there.y = 30;
    network.run(1000);
    verdicts.length = 0;
    shooter.input = { ...still, aim: Math.PI / 2, fire: true };
    network.run(34);
    shooter.input = still;
    network.run(300);
    assert.ok(verdicts.length > 0);
    for (const verdict of verdicts) assert.equal(verdict.hit, -1);
  });
});
