/** Entities that a client spawns ahead of the server: there at once, taken over without a break, gone if they were wrong. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bool, defineEvent, defineGame, defineInput, defineState, float, uint } from "@riposte/simulation";
import type { RowIdentity, WorldOf } from "@riposte/simulation";
import type { Player } from "./link.ts";
import { TestNetwork } from "./link.ts";

const coordinate = float({ min: -500, max: 500, step: 1 / 512 });
const Bang = defineEvent("bang", { x: coordinate });
const SPEED = 12;

/** The server's gun does not work, and a client cannot know. */
let jammed = false;

function spawnGame(spawns: readonly string[] = ["orbs"]) {
  return defineGame({
    tickRate: 60,
    states: {
      players: defineState({ x: coordinate, y: coordinate, wait: uint({ max: 60 }) }),
      orbs: defineState({ x: coordinate, y: coordinate, life: uint({ max: 255 }) }, { capacity: 64 }),
    },
    input: defineInput({ fire: bool() }),
    events: [Bang],
    prediction: { spawns },
    join(world, client) {
      world.players.spawn(client.id, { y: client.id });
    },
    step(world, inputs) {
      for (const orb of world.orbs) {
        orb.x += SPEED * world.dt;
        if (--orb.life > 0) continue;
        world.emit(Bang, orb, { x: orb.x });
        world.orbs.despawn(orb);
      }
      for (const player of world.players) {
        if (player.wait > 0) player.wait--;
        if (!inputs.of(player).fire || player.wait > 0 || (world.isServer && jammed)) continue;
        player.wait = 60;
        for (let i = 0; i < 2; i++) world.orbs.spawn(player.owner, { x: player.x, y: player.y + i, life: 40 });
      }
    },
  });
}

const game = spawnGame();
type Game = typeof game;

function listen(player: Player<Game>) {
  const matched: [number, number][] = [];
  const vanished: number[] = [];
  const bangs: [string, number, boolean][] = [];
  player.client.spawnListener = {
    matched: (table, provisional, id) => void (table === "orbs" && matched.push([provisional, id])),
    vanished: (table, provisional) => void (table === "orbs" && vanished.push(provisional)),
  };
  player.client.events.on(
    Bang,
    ({ x }, { predicted }) => bangs.push(["bang", x, predicted]),
    ({ x }, { predicted }) => bangs.push(["no bang", x, predicted]),
  );
  return { matched, vanished, bangs };
}

/** Where the two orbs of a shot are drawn, frame by frame. */
function film(player: Player<Game>) {
  const frames: { xs: number[]; ids: number[] }[] = [];
  player.onFrame = (): void => {
    const rows = [...player.client.view.orbs].sort((a, b) => a.y - b.y);
    frames.push({ xs: rows.map((row) => row.x), ids: rows.map((row) => row.id) });
  };
  return frames;
}

describe("a predicted spawn", () => {
  it("is there in the frame of the shot, and is taken over by the server's without a pop or a double", () => {
    jammed = false;
    const network = new TestNetwork(game);
    const player = network.add({ latencyMs: 150 }, { fire: false });
    const other = network.add({ latencyMs: 50 }, { fire: false });
    network.run(1500);
    const { matched, vanished, bangs } = listen(player);
    const frames = film(player);
    player.input = { fire: true };
    network.run(60);
    player.input = { fire: false };
    assert.ok(frames.findIndex(({ xs }) => xs.length === 2) <= 2, "within the first frames");
    const { spawns } = player.client.stats.prediction;
    assert.equal(spawns.predicted, 2);
    assert.equal(network.match.world.orbs.count, 0, "the server does not know yet");
    network.run(400);
    assert.deepEqual(spawns, { predicted: 2, matched: 2, unmatched: 0, refused: 0 });
    const server = [...network.match.world.orbs.all()].map((row) => row.id);
    assert.deepEqual(
      matched.map(([, id]) => id),
      server,
    );
    assert.deepEqual(
      [...player.client.view.orbs].map((row) => row.id),
      server,
    );
    network.run(1000);
    const flying = frames.filter(({ xs }) => xs.length > 0);
    assert.ok(
      flying.every(({ xs }) => xs.length === 2),
      "never one, never three",
    );
    for (let i = 1; i < flying.length; i++) {
      const step = flying[i].xs[0] - flying[i - 1].xs[0];
      assert.ok(step > -1e-6 && step < (SPEED / 60) * 2.1, `moved by ${step} in frame ${i}`);
    }
    assert.equal(player.client.stats.mispredictions, 0);
    assert.equal(player.client.stats.visibleCorrection.max, 0);
    assert.deepEqual(vanished, []);
    assert.equal(other.client.stats.prediction.spawns.predicted, 0);
    // The orbs burst in prediction, under the key by which the server's orbs did.
    assert.equal(bangs.length, 2);
    assert.ok(bangs.every(([what, , predicted]) => what === "bang" && predicted));
  });

  it("keeps its id through replays, on a bad link too", () => {
    jammed = false;
    const network = new TestNetwork(game);
    const player = network.add({ latencyMs: 200, jitterMs: 20, lossRate: 0.1 }, { fire: false });
    network.run(1500);
    const { matched, vanished } = listen(player);
    const row = network.match.world.players.firstOwnedBy(player.seat) ?? assert.fail();
    const frames = film(player);
    player.input = { fire: true };
    for (let shot = 0; shot < 10; shot++) {
      // The server pushes the player: everything since is simulated again.
      for (let i = 0; i < 10; i++) {
        row.y += 0.01;
        network.run(100);
      }
    }
    player.input = { fire: false };
    network.run(1500);
    const { spawns, maxReplayTicks } = player.client.stats.prediction;
    assert.ok(player.client.stats.mispredictions > 50 && maxReplayTicks > 10);
    assert.ok(spawns.predicted >= 20 && spawns.predicted === spawns.matched + spawns.unmatched);
    assert.equal(spawns.matched, matched.length);
    assert.equal(spawns.unmatched, vanished.length);
    assert.ok(spawns.matched >= spawns.predicted * 0.9, JSON.stringify(spawns));
    assert.equal(new Set(matched.map(([provisional]) => provisional)).size, matched.length, "each key once");
    assert.ok(Math.max(...frames.map(({ xs }) => xs.length)) <= 2, "never double");
    assert.equal(player.client.view.orbs.count, 0);
  });

  it("vanishes when the server did not do it", () => {
    jammed = true;
    const network = new TestNetwork(game);
    const player = network.add({ latencyMs: 100 }, { fire: false });
    network.run(1500);
    const { matched, vanished, bangs } = listen(player);
    player.input = { fire: true };
    network.run(40);
    player.input = { fire: false };
    assert.equal(player.client.view.orbs.count, 2);
    network.run(300);
    assert.equal(player.client.view.orbs.count, 0);
    assert.deepEqual([matched.length, bangs.length], [0, 0]);
    // With the key still down, the replay shot again, a tick later.
    assert.ok(vanished.length >= 2);
    assert.equal(player.client.stats.prediction.spawns.unmatched, vanished.length);
    jammed = false;
  });

  it("is not made where the game does not ask for it", () => {
    jammed = false;
    const network = new TestNetwork(spawnGame([]));
    const player = network.add({ latencyMs: 150 }, { fire: false });
    network.run(1500);
    player.input = { fire: true };
    network.run(100);
    assert.equal(player.client.view.orbs.count, 0);
    assert.equal(player.client.stats.prediction.spawns.predicted, 0);
    network.run(300);
    assert.equal(player.client.view.orbs.count, 2);
    assert.throws(() => spawnGame(["bombs"]), RangeError);
    assert.notDeepEqual(spawnGame([]).schemaHash.join(), game.schemaHash.join());
  });

  it("is not taken for one of an input that came late", () => {
    const Shot = defineEvent("shot", { tick: uint({ bits: 16 }) });
    const firing = defineGame({
      tickRate: 60,
      states: {
        players: defineState({ x: coordinate, y: coordinate }),
        orbs: defineState({ x: coordinate, y: coordinate, tick: uint({ bits: 16 }) }, { capacity: 512 }),
      },
      input: defineInput({ fire: bool() }),
      events: [Shot],
      prediction: { spawns: ["orbs"] },
      join: (world, client) => void world.players.spawn(client.id),
      idle: (input) => void (input.fire = false),
      late(world, { fire }, seat, tick) {
        const player = world.players.firstOwnedBy(seat);
        if (fire && player !== undefined) shoot(world, player, tick);
      },
      step(world, inputs) {
        for (const orb of world.orbs) if (world.tick - orb.tick > 120) world.orbs.despawn(orb);
        for (const player of world.players) if (inputs.of(player).fire) shoot(world, player, world.tick);
      },
    });
    function shoot(world: WorldOf<typeof firing>, player: RowIdentity, tick: number): void {
      const orb = world.orbs.spawn(player.owner, { tick });
      if (!world.isServer) predicted.set(orb.id, tick);
      world.emit(Shot, player, { tick });
    }
    /** Id of a client's own orb: the tick in which it shot it. */
    const predicted = new Map<number, number>();
    const network = new TestNetwork(firing);
    const player = network.add({ latencyMs: 100 }, { fire: false });
    network.run(1500);
    const pairs: [mine: number | undefined, its: number | undefined][] = [];
    player.client.spawnListener = {
      matched: (_, mine, its) => pairs.push([predicted.get(mine), network.match.world.orbs.get(its)?.tick]),
    };
    const played: [tick: number, of: number, predicted: boolean][] = [];
    player.client.events.on(Shot, ({ tick: of }, { tick, predicted: mine }) => played.push([tick, of, mine]));
    player.input = { fire: true };
    player.burstMs = 200;
    network.run(300);
    player.burstMs = 0;
    network.run(1200);
    const { lateInputs } = network.match.seat(player.seat)?.stats ?? assert.fail();
    assert.ok(lateInputs > 5 && pairs.length > 30, `${lateInputs} late, ${pairs.length} matched`);
    for (const [mine, its] of pairs) assert.equal(mine, its);
    for (const [tick, of] of played) assert.equal(tick, of, "the event is that of the input's tick");
    // What the server has not heard of in time is revoked, and plays when it has.
    const ticks = played.filter(([, , mine]) => mine).map(([tick]) => tick);
    assert.equal(new Set(ticks).size, ticks.length, "each is foreseen once");
  });

  it("has room for 32 at a time; more wait for the server", () => {
    const burst = defineGame({
      ...game,
      prediction: { spawns: ["orbs"] },
      step(world, inputs) {
        for (const player of world.players) {
          if (player.wait > 0) player.wait--;
          if (!inputs.of(player).fire || player.wait > 0) continue;
          player.wait = 60;
          for (let i = 0; i < 40; i++) world.orbs.spawn(player.owner, { x: i, life: 40 });
        }
      },
    });
    const network = new TestNetwork(burst);
    const player = network.add({ latencyMs: 100 }, { fire: false });
    network.run(1500);
    player.input = { fire: true };
    network.run(40);
    player.input = { fire: false };
    assert.equal(player.client.view.orbs.count, 32);
    assert.ok(player.client.stats.prediction.spawns.refused >= 8);
    network.run(500);
    assert.equal(player.client.view.orbs.count, 40);
    assert.equal(player.client.stats.prediction.spawns.matched, 32);
  });
});
