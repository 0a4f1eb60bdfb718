/** What players are told of: what is near to where they look from. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bool, defineGame, defineInput, defineMessage, defineState, float, uint } from "@riposte/simulation";
import type { InterestOptions } from "@riposte/simulation";
import { game, still } from "./shooting-game.ts";
import { TestNetwork } from "./link.ts";

const link = { latencyMs: 80, jitterMs: 20, lossRate: 0.02 };
const RADIUS = 10;

const coordinate = float({ min: -500, max: 500, step: 1 / 8 });
const Place = defineState({ x: coordinate, y: coordinate });
const Clock = defineState({ seconds: uint({ max: 999 }) });
const Bang = defineMessage("bang", { x: coordinate });

/** Players at x = 100 whose rockets fly off; nobody's crates stand at the origin and beside the players. */
function crateGame(interest: InterestOptions = {}, spawn = true) {
  return defineGame({
    tickRate: 60,
    states: { rockets: Place, crates: Place, cameras: Place, players: Place, clocks: Clock },
    input: defineInput({ fire: bool() }),
    messages: [Bang],
    interest: { radius: RADIUS, ...interest },
    join(world, client) {
      if (!spawn) return;
      world.players.spawn(client.id, { x: 100 });
      if (interest.eye === "cameras") world.cameras.spawn(client.id, { x: 3 });
    },
    step(world, inputs) {
      for (const player of world.players) {
        if (inputs.of(player).fire && world.isServer && world.rockets.count === 0)
          world.rockets.spawn(player.owner, { x: player.x });
      }
      for (const rocket of world.rockets) rocket.x = 0;
    },
  });
}

/** One player in that game, and the places of the crates it is told of. */
function crateScene(interest?: InterestOptions, spawn?: boolean) {
  const network = new TestNetwork(crateGame(interest, spawn));
  const { world } = network.match;
  for (const x of [0, 97, 200]) world.crates.spawn(-1, { x });
  world.clocks.spawn(-1, { seconds: 7 });
  const player = network.add({ latencyMs: 20 }, { fire: false });
  network.run(1000);
  const sees = (): number[] => Array.from(player.client.view.crates.all(), ({ x }) => x);
  return { network, world, player, sees };
}

describe("a game with a radius of interest", () => {
  it("shows others when they come near, and no longer when they are far", () => {
    const near = defineGame({ ...game, interest: { radius: RADIUS } });
    const network = new TestNetwork(near);
    const watcher = network.add(link, still);
    const other = network.add(link, still);
    network.run(1500);
    assert.equal(watcher.client.view.players.count, 2);
    const row = network.match.world.players.firstOwnedBy(other.seat) ?? assert.fail();
    row.y = -30;
    network.run(1000);
    assert.equal(watcher.client.view.players.count, 1);
    assert.equal(other.client.view.players.count, 1);
    row.y = -8;
    network.run(1000);
    assert.equal(watcher.client.view.players.count, 2);
    assert.equal(watcher.client.view.players.get(row.id)?.y, -8);
  });

  it("looks from what the player got when it joined, not from what it owns besides", () => {
    const { network, world, player, sees } = crateScene();
    assert.deepEqual(sees(), [97]);
    player.input = { fire: true };
    network.run(500);
    assert.equal(world.rockets.firstOwnedBy(player.seat)?.x, 0, "its rocket is at the origin");
    assert.deepEqual(sees(), [97]);
  });

  it("keeps looking from where the player was when it has nothing to look from", () => {
    const { network, world, player, sees } = crateScene();
    world.players.despawn(world.players.firstOwnedBy(player.seat) ?? assert.fail());
    network.run(1000);
    assert.equal(player.client.view.players.count, 0);
    assert.deepEqual(sees(), [97]);
    world.players.spawn(player.seat, { x: 195 });
    network.run(1000);
    assert.deepEqual(sees(), [200]);
  });

  it("stays with an entity while it is there, though another comes to stand before it in the table", () => {
    const { network, world, player, sees } = crateScene();
    const first = world.players.firstOwnedBy(player.seat) ?? assert.fail();
    world.players.spawn(player.seat, { x: 200 });
    world.players.despawn(first);
    network.run(1000);
    assert.deepEqual(sees(), [200]);
    assert.equal(world.players.spawn(player.seat, { x: 0 }).index, 0);
    network.run(1000);
    assert.deepEqual(sees(), [200]);
  });

  it("tells a player who was never anywhere only of what has no place", () => {
    const { network, player, sees } = crateScene({}, false);
    assert.deepEqual(sees(), []);
    assert.equal([...player.client.view.clocks.all()].length, 1);
    network.match.world.players.spawn(player.seat, { x: 3 });
    network.run(500);
    assert.deepEqual(sees(), [0]);
  });

  it("looks from the state that the game names", () => {
    const { network, world, player, sees } = crateScene({ eye: "cameras" });
    assert.deepEqual(sees(), [0]);
    const camera = world.cameras.firstOwnedBy(player.seat) ?? assert.fail();
    camera.x = 202;
    network.run(500);
    assert.deepEqual(sees(), [200]);
  });

  it("refuses a name that is no state with a position, and a radius that is none", () => {
    for (const eye of ["nobody", "clocks", "toString"]) assert.throws(() => crateGame({ eye }), RangeError);
    for (const radius of [0, -1, Number.NaN]) assert.throws(() => crateGame({ radius }), RangeError);
  });

  it("lets only those near hear of what happened somewhere", () => {
    const { network, world, player } = crateScene();
    const far = network.add({ latencyMs: 20 }, { fire: false });
    const heard: string[] = [];
    for (const { client, seat } of [player, far])
      client.router.onMessage(Bang, ({ x }) => heard.push(`${seat} at ${x}`));
    (world.players.firstOwnedBy(far.seat) ?? assert.fail()).x = 200;
    network.run(500);
    const bang = (x: number, radius?: number): void => world.broadcastNear(Bang, { x }, x, 0, radius);
    bang(97);
    bang(192);
    bang(150);
    bang(151, 60);
    world.broadcast(Bang, { x: 1 });
    network.run(500);
    assert.deepEqual(heard.toSorted(), ["0 at 1", "0 at 151", "0 at 97", "1 at 1", "1 at 151", "1 at 192"]);
  });
});

describe("a game without a radius", () => {
  it("tells everybody of everything, whether they are somewhere or not", () => {
    const network = new TestNetwork(defineGame({ ...crateGame({}, false), interest: {} }));
    const { world } = network.match;
    for (const x of [0, 97, 200]) world.crates.spawn(-1, { x });
    const player = network.add({ latencyMs: 20 }, { fire: false });
    const heard: number[] = [];
    player.client.router.onMessage(Bang, ({ x }) => heard.push(x));
    network.run(500);
    world.broadcastNear(Bang, { x: 5 }, 5, 0);
    network.run(500);
    assert.equal([...player.client.view.crates.all()].length, 3);
    assert.deepEqual(heard, [5]);
  });
});
