import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  bool,
  defineGame,
  defineHitboxes,
  defineInput,
  defineState,
  defineWeapons,
  float,
  HitRegistration,
  weaponFields,
} from "@riposte/simulation";
import { PredictionProbe, readPredictionReport, readShots } from "@riposte/simulation/debug";
import type { DebugOutcome } from "@riposte/simulation/debug";
import { game } from "./first-game.ts";
import { TestNetwork } from "./link.ts";
import type { Player } from "./link.ts";

const still = { up: false, down: false, left: false, right: false, fire: false, aim: 0 };
const right = { ...still, right: true };

function play(debug: boolean): { network: TestNetwork<typeof game>; player: Player<typeof game> } {
  const network = new TestNetwork(game, { debug });
  const player = network.add({ latencyMs: 100 }, right);
  network.run(2000);
  return { network, player };
}

describe("debugging a client's prediction", () => {
  it("keeps what was predicted, and by which inputs, when the server knew better", () => {
    const { network, player } = play(false);
    const { client } = player;
    const before = client.mispredictions.count;
    const [there] = network.match.world.players;
    network.onTick = (tick): void => {
      if (tick % 60 !== 0) return;
      there.x += 1;
      network.match.world.players.settleRow(there.index);
    };
    network.run(1500);
    assert.equal(client.mispredictions.count, client.stats.mispredictions);
    assert.ok(client.mispredictions.count > before);
    const report = client.mispredictions.reports.at(-1);
    assert.ok(report !== undefined);
    const { predicted, actual, history, tick } = report;
    assert.deepEqual([report.table, report.entity, report.field], ["players", there.id, "x"]);
    assert.ok(Math.abs(Number(actual) - Number(predicted) - 1) < 0.01);
    assert.equal(report.input.right, true);
    const last = history.ticks.at(-1);
    assert.equal(last?.tick, tick);
    assert.equal(last?.entities.players[0].values.x, predicted);
    assert.deepEqual(
      history.ticks.map((entry) => entry.tick - tick),
      Array.from(history.ticks, (_, i) => i - history.ticks.length + 1),
      "every tick since the last that was right",
    );
  });

  it("tells the server, over a channel that is off by default", () => {
    for (const debug of [false, true]) {
      const { network, player } = play(debug);
      let outcome: DebugOutcome | undefined;
      network.match.askDebug(player.seat, "prediction", null, (told) => (outcome = told));
      network.run(300);
      assert.equal(player.client.debug.enabled, debug);
      assert.ok(outcome !== undefined);
      if (!debug) {
        assert.deepEqual(outcome, { ok: false, reason: "off", message: "the server has no debug channel" });
        continue;
      }
      const report = outcome.ok ? readPredictionReport(outcome.value) : undefined;
      assert.ok(report !== undefined && report.seat === player.seat);
      assert.ok(Math.abs(report.predictedTick - player.client.predictedTick) <= 20);
      assert.equal(report.figures.mispredictions, player.client.stats.mispredictions);
      assert.equal(readPredictionReport({ ...report, figures: 3 }), undefined);
    }
  });

  it("follows an own entity as predicted and as told, without allocating", () => {
    const { network, player } = play(false);
    const probe = new PredictionProbe({ frames: 120 });
    player.onFrame = (now): void => probe.sample(player.client, now);
    network.run(2000);
    const { predicted, server, curves } = probe;
    assert.equal(curves.inputBufferDepth.count, 120);
    assert.equal(curves.interpolationDelayMs.at(0), player.client.stats.interpolationDelayMs);
    assert.ok(predicted.ticks.at(0) > server.ticks.at(0), "the prediction is ahead");
    // Of the same tick both say the same, for a lone player.
    let compared = 0;
    for (let age = 0; age < predicted.ticks.count; age++) {
      for (let told = 0; told < server.ticks.count; told++) {
        if (server.ticks.at(told) !== predicted.ticks.at(age)) continue;
        assert.equal(server.x.at(told), predicted.x.at(age));
        compared++;
      }
    }
    assert.ok(compared > 20);
    assert.equal(predicted.jumps.count, predicted.ticks.count);
    assert.equal(predicted.jumps.peak, 0, "it walked all the way");
  });

  it("notes where an own entity jumped: by its step, by the server's word, and not when another one takes its place", () => {
    const place = float({ min: -500, max: 500, step: 1 / 64, teleport: 6 });
    const portal = defineGame({
      tickRate: 60,
      states: { players: defineState({ x: place, y: place }) },
      input: defineInput({ right: bool() }),
      join: (world, client) => world.players.spawn(client.id),
      step(world, inputs) {
        for (const player of world.players) {
          player.x += inputs.of(player).right ? 6 * world.dt : 0;
          if (player.x > 20 && player.x < 40) player.x = 100;
        }
      },
    });
    const network = new TestNetwork(portal);
    const player = network.add({ latencyMs: 100 }, { right: true });
    const probe = new PredictionProbe({ pathPoints: 600 });
    player.onFrame = (now): void => probe.sample(player.client, now);
    const jumps = (): string[] => {
      const found: string[] = [];
      const { jumps: marks, x } = probe.predicted;
      for (let age = marks.count - 2; age >= 0; age--)
        if (marks.at(age) === 1) found.push(`${Math.round(x.at(age + 1))} to ${Math.round(x.at(age))}`);
      return found;
    };
    network.run(5000);
    assert.deepEqual(jumps(), ["20 to 100"]);
    const { players } = network.match.world;
    const first = players.firstOwnedBy(player.seat) ?? assert.fail();
    first.x = -200;
    players.settle();
    network.run(1000);
    assert.equal(jumps().length, 2);
    assert.match(jumps()[1], /^10\d to -19\d$/);
    players.despawn(first);
    players.spawn(player.seat, { x: 300 });
    network.run(1000);
    assert.deepEqual(jumps(), []);
    assert.ok(probe.predicted.ticks.count > 20 && probe.predicted.x.at(probe.predicted.x.count - 1) >= 300);
  });
});

describe("the account of shots", () => {
  const coordinate = float({ min: -50, max: 50, step: 1 / 512 });
  const kit = defineWeapons({
    tickRate: 60,
    weapons: { gun: { kind: "pellets", pellets: 8, spread: 0.7, range: 40, muzzle: [0, 0, 1], intervalTicks: 20 } },
  });
  const hitboxes = defineHitboxes(
    Object.fromEntries(
      [0, 1, 2, 3, 4, 5].map((i) => [`part${i}`, { shape: "sphere", radius: 0.5, at: [0, 0, i / 2] }]),
    ),
  );
  const place = { x: coordinate, y: coordinate, z: coordinate };
  const crowd = defineGame({
    tickRate: 60,
    states: { players: defineState({ ...place, ...weaponFields(kit) }), sheep: defineState(place, { hitboxes }) },
    input: defineInput({ fire: bool() }),
    join(world, client) {
      world.players.spawn(client.id);
      for (let i = 0; i < 12; i++) world.sheep.spawn(-1, { x: 6, y: (i - 6) / 2 });
    },
    step(world, inputs) {
      const registration = HitRegistration.of(kit, world.sheep, {}, world.players);
      for (const player of world.players)
        if (inputs.of(player).fire) registration.judge(player, { weapon: "gun", angle: 0 }, world);
    },
  });

  it("has as many of the last ones as a message has room for", () => {
    const network = new TestNetwork(crowd, { debug: true });
    const player = network.add({ latencyMs: 50 }, { fire: true });
    network.run(4000);
    const debug = network.match.debugOf(player.seat);
    const all = debug?.shots() ?? [];
    assert.ok(all.length >= 8 && JSON.stringify(all.slice(-4)).length > 16_384, "four are too many");
    let outcome: DebugOutcome | undefined;
    player.input = { fire: false };
    player.client.debug.ask("shots", null, network.now, (told) => (outcome = told));
    network.run(500);
    assert.ok(outcome?.ok === true);
    const told = readShots(outcome.value) ?? [];
    assert.ok(told.length >= 1 && told.length < 4, `${told.length} shots`);
    assert.deepEqual(told.at(-1)?.view.verdict, readShots(all.slice(-1))?.[0].view.verdict);
  });
});
