/** What a step emits: heard once by everybody near, at once by who predicts it, and taken back when it did not happen. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bool, defineEvent, defineGame, defineInput, defineState, float, uint } from "@riposte/simulation";
import { TestNetwork } from "./link.ts";

const coordinate = float({ min: -500, max: 500, step: 1 / 512 });
const Shot = defineEvent("shot", { shots: uint({ max: 255 }), y: coordinate });
const Click = defineEvent("click", {}, { audience: "owner", channel: "unreliableUnordered" });
const Death = defineEvent("death", { by: uint({ max: 9 }) });

/** What the next shot of the server is for; a client cannot know it. */
let jammed = false;
/** Whether the server hits its players, each tick. */
let kills = false;

const game = defineGame({
  tickRate: 60,
  states: {
    crates: defineState({ x: coordinate, y: coordinate }),
    players: defineState({ x: coordinate, y: coordinate, shots: uint({ max: 255 }), ammunition: uint({ max: 100 }) }),
  },
  input: defineInput({ fire: bool(), right: bool() }),
  events: [Shot, Click, Death],
  interest: { radius: 100 },
  join(world, client) {
    world.players.spawn(client.id, { x: client.id * 50, ammunition: 50 });
  },
  step(world, inputs) {
    for (const player of world.players) {
      const { fire, right } = inputs.of(player);
      player.x += Number(right) * 6 * world.dt;
      if (world.isServer && kills) world.emit(Death, player, { by: 3 });
      if (!fire || world.tick % 10 !== 0 || player.ammunition === 0) continue;
      if (world.isServer && jammed) continue;
      player.ammunition--;
      player.shots = (player.shots + 1) & 255;
      world.emit(Shot, player, { shots: player.shots, y: 0 });
      world.emit(Shot, player, { shots: player.shots, y: 1 });
      world.emit(Click, player, {});
    }
  },
});

const still = { fire: false, right: false };
const fire = { fire: true, right: false };

function join(network: TestNetwork<typeof game>, latencyMs: number, lossRate = 0) {
  const player = network.add({ latencyMs, jitterMs: lossRate > 0 ? 20 : 0, lossRate }, still);
  const heard: string[] = [];
  const shots: { at: number; tick: number; viewTick: number; predicted: boolean }[] = [];
  player.client.events.on(
    Shot,
    (value, event) => {
      heard.push(`${event.owner} ${event.tick} ${value.y}`);
      shots.push({
        at: network.now,
        tick: event.tick,
        viewTick: player.client.view.tick,
        predicted: event.predicted,
      });
    },
    (value, event) => heard.push(`revoked ${event.owner} ${event.tick} ${value.y}`),
  );
  player.client.events.on(Click, (_, event) => heard.push(`${event.owner} ${event.tick} click`));
  return { player, heard, shots };
}

/** The shots that the server fired, as a client should hear them. */
function record(network: TestNetwork<typeof game>) {
  const fired: string[] = [];
  const before = new Map<number, number>();
  network.onTick = (tick): void => {
    for (const { owner, shots } of network.match.world.players) {
      if (shots !== (before.get(owner) ?? 0)) fired.push(`${owner} ${tick} 0`, `${owner} ${tick} 1`);
      before.set(owner, shots);
    }
  };
  return fired;
}

describe("an event", () => {
  it("plays at once for the player who predicts it, and once, on a bad link too", () => {
    jammed = kills = false;
    for (const [latencyMs, lossRate] of [
      [100, 0],
      [200, 0.1],
    ]) {
      const network = new TestNetwork(game);
      const { player, heard, shots } = join(network, latencyMs, lossRate);
      network.run(1500);
      const fired = record(network);
      // Corrections for other reasons, so that ticks with shots are replayed.
      const row = network.match.world.players.firstOwnedBy(player.seat) ?? assert.fail();
      player.input = { fire: true, right: true };
      for (let i = 0; i < 30; i++) {
        row.x += 0.5;
        network.run(90);
      }
      player.input = still;
      network.run(3000);
      assert.ok(fired.length > 20 && player.client.stats.prediction.replayedTicks > 100);
      const own = heard.filter((text) => !text.endsWith("click"));
      if (lossRate === 0) {
        assert.deepEqual(own, fired);
        assert.deepEqual(heard.filter((text) => text.endsWith("click")).length, fired.length / 2);
        assert.ok(shots.every((shot) => shot.predicted));
      }
      // Whatever was revoked on the way: what stands in the end is what happened.
      const standing = new Map<string, number>();
      for (const text of own) {
        const key = text.replace("revoked ", "");
        standing.set(key, (standing.get(key) ?? 0) + (key === text ? 1 : -1));
      }
      assert.deepEqual(
        [...standing]
          .filter(([, count]) => count !== 0)
          .map(([key]) => key)
          .sort(),
        [...fired].sort(),
      );
      assert.ok([...standing.values()].every((count) => count === 0 || count === 1));
      assert.equal(player.client.events.waiting, 0);
    }
  });

  it("is heard by the others when their picture is there", () => {
    jammed = kills = false;
    const network = new TestNetwork(game);
    const shooter = join(network, 60);
    const near = join(network, 100);
    network.run(1500);
    const fired = record(network);
    shooter.player.input = fire;
    network.run(1000);
    shooter.player.input = still;
    network.run(1000);
    assert.ok(fired.length > 5);
    assert.deepEqual(near.heard, fired, "no click of somebody else");
    for (const shot of near.shots) {
      assert.equal(shot.predicted, false);
      assert.ok(shot.viewTick >= shot.tick && shot.viewTick < shot.tick + 2, `drawn at ${shot.viewTick - shot.tick}`);
    }
    // Out of sight nothing is heard.
    const row = network.match.world.players.firstOwnedBy(near.player.seat) ?? assert.fail();
    row.x = 400;
    network.run(500);
    shooter.player.input = fire;
    network.run(1000);
    assert.deepEqual(near.heard, fired.slice(0, near.heard.length));
    assert.ok(fired.length > near.heard.length + 5);
  });

  it("is revoked when the server did not do it", () => {
    jammed = kills = false;
    const network = new TestNetwork(game);
    const { player, heard } = join(network, 100);
    network.run(1500);
    jammed = true;
    player.input = fire;
    network.run(150);
    player.input = still;
    assert.ok(heard.length >= 3);
    const played = heard.filter((text) => !text.endsWith("click"));
    network.run(400);
    jammed = false;
    assert.deepEqual(
      heard.filter((text) => text.startsWith("revoked")).sort(),
      played.map((text) => `revoked ${text}`).sort(),
    );
    network.run(2000);
    assert.equal(heard.filter((text) => !text.endsWith("click")).length, played.length * 2);
    assert.equal(player.client.events.waiting, 0);
  });

  it("that only the server knows of comes from the server", () => {
    jammed = kills = false;
    const network = new TestNetwork(game);
    const { player } = join(network, 100);
    const deaths: [number, boolean][] = [];
    player.client.events.on(Death, ({ by }, { predicted }) => deaths.push([by, predicted]));
    network.run(1500);
    kills = true;
    network.run(16);
    kills = false;
    network.run(200);
    assert.deepEqual(deaths, [[3, false]]);
  });

  it("must be one of the game's, by a row of the world, and a kind of its own", () => {
    const network = new TestNetwork(game);
    const { player } = join(network, 0);
    network.run(500);
    const Other = defineEvent("other", {});
    const row = network.match.world.players.firstOwnedBy(player.seat) ?? assert.fail();
    assert.throws(() => network.match.world.emit(Other, row, {}), TypeError);
    assert.throws(() => network.match.world.emit(Click, { id: 0, owner: 0, index: 0 }, {}), TypeError);
    assert.throws(() => player.client.events.on(Other, () => {}), TypeError);
    assert.throws(() => defineEvent("", {}), RangeError);
    assert.throws(() => defineEvent("far", {}, { radius: 0 }), RangeError);
    assert.throws(() => defineGame({ ...game, events: [Shot, Shot] }), RangeError);
    assert.notDeepEqual(defineGame({ ...game, events: [Shot] }).schemaHash, game.schemaHash);
  });

  it("off the wire is dropped when it is malformed", () => {
    const network = new TestNetwork(game);
    const { player, heard } = join(network, 0);
    network.run(500);
    const { client } = player;
    for (const bytes of [[10], [10, 200, 1, 0, 0, 0, 0], [10, 0, 1, 0], [10, 0, 255, 255, 255, 255]]) {
      const before = client.stats.malformed;
      assert.equal(client.receive(Uint8Array.from(bytes), 0, bytes.length, network.now), false);
      assert.equal(client.stats.malformed, before + 1);
    }
    // Well-formed, of an entity and a table that do not exist.
    const strange = Uint8Array.from([10, 1, 1, 63, 63, 0, 0]);
    assert.equal(client.receive(strange, 0, strange.length, network.now), true);
    network.run(100);
    assert.deepEqual(heard, ["-1 1 click"]);
  });
});
