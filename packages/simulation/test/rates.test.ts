import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bool, defineGame, defineInput, defineState, float, uint } from "@riposte/simulation";
import { TestNetwork } from "./link.ts";

const coordinate = float({ min: -500, max: 500, step: 1 / 512 });
const Player = defineState({ x: coordinate, y: coordinate, cooldown: uint({ max: 255 }) });
const Rocket = defineState({ x: coordinate, y: coordinate, age: uint({ max: 1000 }) });
const Input = defineInput({ right: bool(), down: bool(), fire: bool() });
const still = { right: false, down: false, fire: false };

/** A game of the given rates whose players launch rockets that they own, and leave a mark when they go. */
function rocketGame(tickRate: number, snapshotRate: number) {
  return defineGame({
    tickRate,
    snapshotRate,
    states: { players: Player, rockets: Rocket },
    input: Input,
    join(world, client) {
      world.players.spawn(client.id);
    },
    leave(world, client) {
      for (const rocket of world.rockets) if (rocket.owner === client.id) world.rockets.despawn(rocket);
      // The player's own figure stays, as nobody's.
    },
    step(world, inputs) {
      for (const player of world.players) {
        const input = inputs.of(player);
        const wobble = world.randomOf(player).between(0.9, 1.1);
        player.x += Number(input.right) * 6 * wobble * world.dt;
        player.y += Number(input.down) * 6 * wobble * world.dt;
        if (player.cooldown > 0) player.cooldown--;
        else if (input.fire) {
          player.cooldown = 10;
          world.rockets.spawn(player.owner, { x: player.x, y: player.y });
        }
      }
      for (const rocket of world.rockets) {
        rocket.x += 20 * world.dt;
        if (++rocket.age > 0.6 / world.dt) world.rockets.despawn(rocket);
      }
    },
  });
}

describe("a game", () => {
  for (const [tickRate, snapshotRate, fps] of [
    [20, 20, 60],
    [30, 15, 144],
    [60, 30, 30],
    [60, 20, 75],
    [128, 64, 60],
  ]) {
    it(`of ${tickRate} ticks, ${snapshotRate} snapshots and ${fps} frames a second is predicted exactly`, () => {
      const network = new TestNetwork(rocketGame(tickRate, snapshotRate));
      const player = network.add({ latencyMs: 100, jitterMs: 10, lossRate: 0.01 }, still);
      player.frameMs = 1000 / fps;
      network.run(2500);
      const before = player.client.stats.mispredictions;
      let seen = 0;
      for (let i = 0; i < 24; i++) {
        player.input = { right: i % 3 > 0, down: i % 4 === 0, fire: i % 5 === 0 };
        network.run(230);
        const rocket = player.client.view.rockets.mine;
        if (rocket !== undefined) seen++;
      }
      player.input = still;
      network.run(1500);
      assert.ok(player.client.stats.mispredictions - before <= 1, `${player.client.stats.mispredictions - before}`);
      assert.ok(seen > 3, "its rockets are drawn");
      const there = network.match.world.players.firstOwnedBy(player.seat);
      const here = player.client.world.players.firstOwnedBy(player.seat);
      assert.ok((there?.x ?? 0) > 5);
      assert.equal(here?.x, there?.x);
      assert.equal(here?.y, there?.y);
      assert.equal([...player.client.view.rockets].length, 0, "rockets end on the client too");
      assert.equal(player.client.stats.jumps, 0);
    });
  }

  it("draws a rocket of its own ahead of where others see it, on the same way", () => {
    const network = new TestNetwork(rocketGame(60, 30));
    const shooter = network.add({ latencyMs: 150 }, still);
    const watcher = network.add({ latencyMs: 40 }, still);
    network.run(2500);
    shooter.input = { ...still, fire: true };
    network.run(40);
    shooter.input = still;
    let both = 0;
    for (let i = 0; i < 50; i++) {
      network.run(16);
      const mine = shooter.client.view.rockets.mine;
      const theirs = [...watcher.client.view.rockets][0];
      const server = [...network.match.world.rockets][0];
      if (mine === undefined || theirs === undefined || server === undefined) continue;
      both++;
      assert.ok(mine.age <= 37, "its end is predicted too");
      assert.ok(mine.x > server.x && server.x > theirs.x);
      assert.equal(mine.y, server.y);
    }
    assert.ok(both > 5);
    assert.equal(shooter.client.stats.mispredictions, 0);
  });

  it("decides itself what becomes of a player's things, but never leaves them to the next in the seat", () => {
    const network = new TestNetwork(rocketGame(60, 30), { reconnectGraceMs: 100 });
    const player = network.add({ latencyMs: 40 }, { ...still, right: true });
    network.run(1000);
    const { seat } = player;
    network.disconnect(player);
    network.run(500);
    assert.equal(network.match.seat(seat), undefined);
    assert.equal(network.match.world.players.count, 1, "the game kept the figure");
    assert.equal(network.match.world.players.firstOwnedBy(seat), undefined);
    const next = network.add({ latencyMs: 40 }, still);
    assert.equal(next.seat, seat);
    network.run(1000);
    assert.equal(next.client.view.players.mine?.x, 0);
    assert.equal(next.client.view.players.count, 2);
  });
});

describe("defineGame", () => {
  it("rejects what cannot be", () => {
    assert.throws(() => rocketGame(0, 1), RangeError);
    assert.throws(() => rocketGame(60, 25), RangeError);
    assert.throws(() => rocketGame(60.5, 60.5), RangeError);
  });

  it("gives games with another schema another hash", () => {
    const a = rocketGame(60, 30);
    assert.equal(a.schemaHash.length, 8);
    assert.deepEqual(a.schemaHash, rocketGame(60, 20).schemaHash, "how often is sent is the server's own business");
    assert.notDeepEqual(a.schemaHash, rocketGame(30, 30).schemaHash);
    assert.notDeepEqual(a.schemaHash, defineGame({ ...a, input: defineInput({ right: bool() }) }).schemaHash);
  });
});
